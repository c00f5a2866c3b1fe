package windows

import (
	"fmt"
	"slices"
	"strings"

	"oust/transports/lab/cmdexe"
)

// Release is an edition of Windows.
type Release struct {
	// ID is a short name: server-2019, windows-10, windows-11.
	ID           string
	product      string // ProductName
	edition      string // EditionID
	installation string // InstallationType
	display      string // DisplayVersion or ReleaseId
	build, ubr   int
}

// Releases are those that are simulated. Windows 11 calls itself 10 in the
// registry.
func Releases() []Release {
	return []Release{
		{"server-2019", "Windows Server 2019 Standard", "ServerStandard", "Server", "1809", 17763, 5696},
		{"windows-10", "Windows 10 Pro", "Professional", "Client", "22H2", 19045, 4170},
		{"windows-11", "Windows 10 Pro", "Professional", "Client", "23H2", 22631, 3296},
	}
}

// Image is what machines of one release with the same products have in common.
// They share it: none of them changes it.
type Image struct {
	Release  Release
	registry *Registry
	files    *cmdexe.Memory
	version  string
	products []*Product
}

// NewImage makes an image with some of the products installed.
func NewImage(r Release, products ...*Product) (*Image, error) {
	im := &Image{
		Release: r, registry: &Registry{}, files: cmdexe.NewMemory(), products: slices.Clone(products),
		version: fmt.Sprintf("Microsoft Windows [Version 10.0.%d.%d]", r.build, r.ubr),
	}
	im.systemKeys()
	im.services()
	im.otherSoftware()
	for _, d := range imageFolders {
		if err := im.files.MkdirAll(d); err != nil {
			return nil, fmt.Errorf("windows: make an image: %w", err)
		}
	}
	files := slices.Clone(imageFiles)
	for _, p := range products {
		p.enter(im.registry)
		files = append(files, p.diskFiles()...)
	}
	for _, f := range files {
		if err := im.files.WriteFile(f, []byte("MZ")); err != nil {
			return nil, fmt.Errorf("windows: make an image: %w", err)
		}
	}
	return im, nil
}

// Products are those that are installed on the image.
func (im *Image) Products() []*Product { return slices.Clone(im.products) }

func (im *Image) productByCode(code string) *Product {
	for _, p := range im.products {
		if p.uninstaller == "" && strings.EqualFold(p.Code, code) {
			return p
		}
	}
	return nil
}

// ownsService reports whether a service is one of the products'.
func (im *Image) ownsService(name string) bool {
	return slices.ContainsFunc(im.products, func(p *Product) bool {
		return slices.ContainsFunc(p.services, func(s serviceInfo) bool { return strings.EqualFold(s.name, name) })
	})
}

var (
	imageFolders = []string{
		`C:\Program Files\Common Files`, `C:\Program Files (x86)\Common Files`, `C:\ProgramData`, `C:\Users\Public`,
		`C:\Users\ops\AppData\Local\Temp`, `C:\Users\guest\AppData\Local\Temp`, `C:\Windows\Temp`, `C:\Windows\System32\config\systemprofile`,
		`C:\Windows\SysWOW64`, `C:\PerfLogs`,
	}
	imageFiles = []string{
		`C:\Windows\explorer.exe`, `C:\Windows\System32\cmd.exe`, `C:\Windows\System32\reg.exe`, `C:\Windows\System32\msiexec.exe`,
		`C:\Windows\System32\schtasks.exe`, `C:\Windows\System32\svchost.exe`, `C:\Windows\System32\drivers\ntfs.sys`,
		`C:\Windows\System32\drivers\tcpip.sys`, `C:\Program Files\7-Zip\7z.exe`, `C:\Program Files\Git\bin\git.exe`,
	}
)

// systemKeys are those that say what the machine is.
func (im *Image) systemKeys() {
	set := im.registry.Set
	r := im.Release
	const current = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`
	for _, v := range [][2]string{
		{"ProductName", r.product}, {"CurrentBuild", fmt.Sprint(r.build)}, {"CurrentBuildNumber", fmt.Sprint(r.build)},
		{"EditionID", r.edition}, {"InstallationType", r.installation}, {"DisplayVersion", r.display}, {"CurrentVersion", "6.3"},
		{"SystemRoot", `C:\Windows`}, {"RegisteredOwner", "Lab"},
	} {
		set(current, v[0], regSZ, v[1])
	}
	set(current, "UBR", regDword, fmt.Sprintf("0x%x", r.ubr))
	set(current, "CurrentMajorVersionNumber", regDword, "0xa")
	set(bootKey, "BootId", regDword, "0x1c")
	set(windowsKey, "ShutdownTime", regBinary, "80D5B61E3C7ADA01")
	set(windowsKey, "Directory", regExpand, "%SystemRoot%")
	set(managerKey, "BootExecute", regMulti, `autocheck autochk *\0`)
	set(`HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation`, "ActiveTimeBias", regDword, "0x0")
	set(`HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation`, "TimeZoneKeyName", regSZ, "UTC")
	set(`HKLM\SOFTWARE\Classes\Installer\UpgradeCodes`, "", "", "")
	set(defenderKey, defenderOff, regDword, fmt.Sprintf("0x%d", btoi(im.guarded())))
	for _, sid := range []string{".DEFAULT", "S-1-5-18", "S-1-5-19", "S-1-5-20", accounts[0].sid, accounts[1].sid} {
		set(`HKU\`+sid+`\Control Panel\International`, "sShortDate", regSZ, "M/d/yyyy")
		set(`HKU\`+sid+`\Environment`, "TEMP", regExpand, `%USERPROFILE%\AppData\Local\Temp`)
	}
}

// services are some that every Windows has.
func (im *Image) services() {
	for _, s := range []serviceInfo{
		{name: "BITS", display: "Background Intelligent Transfer Service", image: `C:\Windows\System32\svchost.exe -k netsvcs -p`, kind: 0x20, start: 3},
		{name: "Dnscache", display: "DNS Client", image: `C:\Windows\System32\svchost.exe -k NetworkService -p`, kind: 0x20, start: 2},
		{name: "EventLog", display: "Windows Event Log", image: `C:\Windows\System32\svchost.exe -k LocalServiceNetworkRestricted -p`, kind: 0x20, start: 2},
		{name: "LanmanServer", display: "Server", image: `C:\Windows\System32\svchost.exe -k netsvcs -p`, kind: 0x20, start: 2},
		{name: "msiserver", display: "Windows Installer", image: `C:\Windows\system32\msiexec.exe /V`, kind: 0x10, start: 3},
		{name: "Ntfs", display: "Ntfs", image: `\SystemRoot\System32\drivers\ntfs.sys`, kind: 2, start: 1},
		{name: "RpcSs", display: "Remote Procedure Call (RPC)", image: `C:\Windows\system32\svchost.exe -k rpcss -p`, kind: 0x20, start: 2},
		{name: "Schedule", display: "Task Scheduler", image: `C:\Windows\system32\svchost.exe -k netsvcs -p`, kind: 0x20, start: 2},
		{name: "Tcpip", display: "TCP/IP Protocol Driver", image: `System32\drivers\tcpip.sys`, kind: 1, start: 0},
		{name: defenderService, display: "Microsoft Defender Antivirus Service", image: `"C:\ProgramData\Microsoft\Windows Defender\Platform\MsMpEng.exe"`, kind: 0x10, start: im.defenderStart()},
		{name: "WinRM", display: "Windows Remote Management (WS-Management)", image: `C:\Windows\System32\svchost.exe -k NetworkService -p`, kind: 0x20, start: 2},
		{name: "wuauserv", display: "Windows Update", image: `C:\Windows\system32\svchost.exe -k netsvcs -p`, kind: 0x20, start: 3},
	} {
		(&Product{services: []serviceInfo{s}}).enterServices(im.registry)
	}
}

// otherSoftware is what a machine has beside the products: none of it is to be
// touched.
func (im *Image) otherSoftware() {
	for _, p := range []*Product{
		{Title: "7-Zip 23.01 (x64)", Version: "23.01", Publisher: "Igor Pavlov", Code: "7-Zip", view: view64, folder: `C:\Program Files\7-Zip`, uninstaller: `C:\Program Files\7-Zip\Uninstall.exe`},
		{Title: "Git", Version: "2.44.0", Publisher: "The Git Development Community", Code: "Git_is1", view: view64, folder: `C:\Program Files\Git`, uninstaller: `C:\Program Files\Git\unins000.exe`},
		{Title: "Microsoft Visual C++ 2015-2022 Redistributable (x64) - 14.38.33130", Version: "14.38.33130.0", Publisher: "Microsoft Corporation", Code: "{1CA7421F-A225-4A9C-B320-A36981A2B789}", upgrade: "{36F68A90-239C-34DF-B58C-64B30153CE35}", view: view64, folder: `C:\Windows\System32`},
		{Title: "Microsoft Edge", Version: "122.0.2365.66", Publisher: "Microsoft Corporation", Code: "Microsoft Edge", view: view32, folder: `C:\Program Files (x86)\Microsoft\Edge\Application`, uninstaller: `C:\Program Files (x86)\Microsoft\Edge\Application\setup.exe`},
	} {
		p.enter(im.registry)
	}
}
