package wsman

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
)

// Fault is an answer that says why a request is refused. It is an error, so
// that a Backend can return one.
type Fault struct {
	// Code is the number that Windows gives the fault: a Win32 error, or an
	// HRESULT from wsmerror.h.
	Code uint32
	// Receiver says that the trouble is the server's, not the sender's.
	Receiver bool
	// Subcode is the fault's qualified name, such as w:TimedOut.
	Subcode string
	// Reason is the sentence under Reason.
	Reason string
	// Detail is the last part of the name under FaultDetail, or "".
	Detail string
	// Message is the sentence in WSManFault; default Reason.
	Message string
}

// Error implements error.
func (f *Fault) Error() string { return fmt.Sprintf("fault %d: %s", f.Code, f.message()) }

func (f *Fault) message() string {
	if f.Message == "" {
		return f.Reason
	}
	return f.Message
}

var _ error = (*Fault)(nil)

// Codes of faults, from winerror.h and wsmerror.h.
const (
	CodeNotFound         = 2          // ERROR_FILE_NOT_FOUND
	CodeAccessDenied     = 5          // ERROR_ACCESS_DENIED
	CodePipeClosing      = 232        // ERROR_NO_DATA
	CodeAborted          = 995        // ERROR_OPERATION_ABORTED
	CodeResourceURI      = 2150858752 // ERROR_WSMAN_RESOURCE_NOT_FOUND
	CodeTimeoutTooShort  = 2150858764 // ERROR_WSMAN_UNSUPPORTED_TIMEOUT
	CodeInvalidHeader    = 2150858767 // ERROR_WSMAN_INVALID_MESSAGE_INFORMATION_HEADER
	CodeMissingHeader    = 2150858769 // ERROR_WSMAN_MESSAGE_INFORMATION_HEADER_REQUIRED
	CodeAction           = 2150858771 // ERROR_WSMAN_ACTION_NOT_SUPPORTED
	CodeInvalidBody      = 2150858791 // ERROR_WSMAN_INVALID_SOAP_BODY
	CodeOperationTimeout = 2150858793 // ERROR_WSMAN_OPERATION_TIMEDOUT
	CodeInvalidXML       = 2150858819 // ERROR_WSMAN_INVALID_XML
	CodeShellNotFound    = 2150858843 // ERROR_WSMAN_UNEXPECTED_SELECTORS
	CodeEnvelopeTooSmall = 2150858878 // ERROR_WSMAN_MIN_ENVELOPE_SIZE
	CodeShellsQuota      = 2150859173 // ERROR_WSMAN_QUOTA_MAX_SHELLS
	CodeOperationsQuota  = 2150859174 // ERROR_WSMAN_QUOTA_MAX_OPERATIONS
)

func faultAccessDenied() *Fault {
	return &Fault{Code: CodeAccessDenied, Subcode: "w:AccessDenied", Reason: "Access is denied. "}
}

func faultTimeout() *Fault {
	return &Fault{
		Code: CodeOperationTimeout, Receiver: true, Subcode: "w:TimedOut", Detail: "OperationTimeout",
		Reason: "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
	}
}

// faultSelectors is what is answered for a shell or command that is not there.
func faultSelectors(message string) *Fault {
	return &Fault{
		Code: CodeShellNotFound, Subcode: "w:InvalidSelectors", Detail: "UnexpectedSelectors", Message: message,
		Reason: "The WS-Management service cannot process the request because the request contained invalid selectors for the resource. ",
	}
}

func faultNoShell(id string) *Fault {
	return faultSelectors("The request for the Windows Remote Shell with ShellId " + id + " failed because the shell was not found on the server. " +
		"Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the server. " +
		"Provide the correct ShellId or create a new shell and retry the operation. ")
}

func faultNoCommand() *Fault {
	return faultSelectors("The Windows Remote Shell received a request to perform an operation on a command identifier that does not exist. " +
		"Either the command has completed execution or the client specified an invalid command identifier. ")
}

func faultShells(limit int) *Fault {
	return &Fault{
		Code: CodeShellsQuota, Subcode: "w:QuotaLimit",
		Reason: "The WS-Management service cannot process the request. The maximum number of concurrent shells for this user has been exceeded. " +
			"Close existing shells or raise the quota for this user. ",
		Message: fmt.Sprintf("The WS-Management service cannot process the request. This user is allowed a maximum number of %d concurrent shells, "+
			"which has been exceeded. Close existing shells or raise the quota for this user. ", limit),
	}
}

func faultOperations(limit int) *Fault {
	return &Fault{
		Code: CodeOperationsQuota, Subcode: "w:QuotaLimit",
		Reason: "The WS-Management service cannot process the request. The maximum number of concurrent operations for this user has been exceeded. " +
			"Close existing operations for this user, or raise the quota for this user. ",
		Message: fmt.Sprintf("The WS-Management service cannot process the request. This user is allowed a maximum number of %d concurrent operations, "+
			"which has been exceeded. Close existing operations for this user, or raise the quota for this user. ", limit),
	}
}

func faultAborted() *Fault {
	return &Fault{
		Code: CodeAborted, Receiver: true, Subcode: "w:InternalError",
		Reason: "The I/O operation has been aborted because of either a thread exit or an application request. ",
	}
}

func faultInvalidXML() *Fault {
	return &Fault{
		Code: CodeInvalidXML, Subcode: "w:SchemaValidationError",
		Reason: "The WS-Management service cannot process the request because the XML is invalid. ",
	}
}

func faultInvalidBody() *Fault {
	return &Fault{
		Code: CodeInvalidBody, Subcode: "w:SchemaValidationError",
		Reason: "The WS-Management service cannot process the request because the request packet does not have a valid SOAP body. ",
	}
}

func faultHeader(name, value string) *Fault {
	return &Fault{
		Code: CodeInvalidHeader, Subcode: "a:InvalidMessageInformationHeader",
		Reason:  "The WS-Management service cannot process the request. The request contains one or more invalid SOAP headers. ",
		Message: fmt.Sprintf("The WS-Management service cannot process the request. The XML contains an invalid %s field in the SOAP header: %.200s. ", name, value),
	}
}

// envelope is the fault as a reply to the message relates.
func (f *Fault) envelope(machine, relates string) []byte {
	var b bytes.Buffer
	openReply(&b, actionFault, relates)
	side := "Sender"
	if f.Receiver {
		side = "Receiver"
	}
	b.WriteString("<s:Fault><s:Code><s:Value>s:" + side + "</s:Value><s:Subcode><s:Value>")
	escape(&b, f.Subcode)
	b.WriteString(`</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">`)
	escape(&b, f.Reason)
	b.WriteString("</s:Text></s:Reason><s:Detail>")
	if f.Detail != "" {
		b.WriteString("<w:FaultDetail>" + detailPrefix)
		escape(&b, f.Detail)
		b.WriteString("</w:FaultDetail>")
	}
	b.WriteString(`<f:WSManFault xmlns:f="` + nsFault + `" Code="` + strconv.FormatUint(uint64(f.Code), 10) + `" Machine="`)
	escape(&b, machine)
	b.WriteString(`"><f:Message>`)
	escape(&b, f.message())
	b.WriteString("</f:Message></f:WSManFault></s:Detail></s:Fault>")
	closeReply(&b)
	return b.Bytes()
}

// escape writes text as XML; what XML cannot hold becomes U+FFFD.
func escape(b *bytes.Buffer, text string) { _ = xml.EscapeText(b, []byte(text)) }
