package wsman

// Namespaces and names on the wire: DSP0226 and MS-WSMV 2.2.
const (
	nsSOAP       = "http://www.w3.org/2003/05/soap-envelope"
	nsAddressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
	nsTransfer   = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
	nsWSMan      = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
	nsMicrosoft  = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
	nsShell      = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
	nsFault      = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
	nsIdentity   = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"

	resourceCmd = nsShell + "/cmd"
	anonymous   = nsAddressing + "/role/anonymous"

	actionCreate  = nsTransfer + "/Create"
	actionDelete  = nsTransfer + "/Delete"
	actionCommand = nsShell + "/Command"
	actionSend    = nsShell + "/Send"
	actionReceive = nsShell + "/Receive"
	actionSignal  = nsShell + "/Signal"
	actionFault   = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
	// actionReply is put behind a request's action in its reply.
	actionReply = "Response"

	stateRunning = nsShell + "/CommandState/Running"
	stateDone    = nsShell + "/CommandState/Done"

	detailPrefix = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"

	// mutualTLS is what stands under Authorization for a login by a TLS client
	// certificate.
	mutualTLS = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"

	contentSOAP = "application/soap+xml;charset=UTF-8"
)

// signals maps a signal's name on the wire (MS-WSMV 2.2.4.38) to why the
// command's context ends. PowerShell's ctrl_c stands there by its short name.
var signals = map[string]error{
	nsShell + "/signal/terminate":  ErrTerminated,
	nsShell + "/signal/Terminate":  ErrTerminated,
	nsShell + "/signal/ctrl_c":     ErrCtrlC,
	nsShell + "/signal/ctrl_break": ErrCtrlC,
}
