set "OUSTP=%"
set "PATH=%SystemRoot%\System32;%SystemRoot%;%SystemRoot%\System32\Wbem"
set "PATHEXT=.COM;.EXE;.BAT;.CMD"
cd /d "%SystemRoot%\System32"
chcp 65001 >nul 2>nul <nul
BEGIN
SECTION codepage
chcp 2>nul <nul
SECTION absent
echo list
reg query "HKLM\SOFTWARE\NONCE" /s 2>&1 <nul
echo key
reg query "HKLM\SOFTWARE\NONCE" 2>&1 >nul <nul
echo path
dir /b /a "%SystemRoot%\NONCE" 2>&1 >nul
echo path
dir /b /a "%SystemRoot%\NONCE\NONCE" 2>&1 >nul
SECTION arch
echo "%PROCESSOR_ARCHITECTURE%" "%PROCESSOR_ARCHITEW6432%"
SECTION os
ver
for %v in (ProductName CurrentBuild UBR EditionID InstallationType) do reg query "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion" /v %v 2>nul <nul
SECTION boot
reg query "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters" /v BootId 2>nul <nul
reg query "HKLM\SYSTEM\CurrentControlSet\Control\Windows" /v ShutdownTime 2>nul <nul
wevtutil qe System "/q:*[System[Provider[@Name='Microsoft-Windows-Kernel-General'] and (EventID=12)]]" /c:1 /rd:true /f:xml 2>nul <nul
echo.
SECTION clock
reg query "HKCU\Control Panel\International" /v sShortDate 2>nul <nul
reg query "HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation" /v ActiveTimeBias 2>nul <nul
echo now "%DATE%" "%TIME%"
SECTION who
echo "%USERDOMAIN%\%USERNAME%"
reg query HKU\S-1-5-19 >nul 2>nul <nul
echo rc %ERRORLEVEL%
SECTION uninstall64
reg query HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall /s /reg:64 2>&1 <nul
echo rc %ERRORLEVEL%
SECTION uninstall32
reg query HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall /s /reg:32 2>&1 <nul
echo rc %ERRORLEVEL%
SECTION users
for /f "delims=" %h in ('reg query HKU 2^>nul ^<nul') do (echo hive "%h"& reg query "%h\Software\Microsoft\Windows\CurrentVersion\Uninstall" /s 2>&1 <nul)
SECTION upgradecodes
reg query HKLM\SOFTWARE\Classes\Installer\UpgradeCodes /s 2>&1 <nul
echo rc %ERRORLEVEL%
SECTION service-type
reg query HKLM\SYSTEM\CurrentControlSet\Services /s /v Type 2>&1 <nul
echo rc %ERRORLEVEL%
SECTION service-start
reg query HKLM\SYSTEM\CurrentControlSet\Services /s /v Start 2>nul <nul
SECTION service-image
reg query HKLM\SYSTEM\CurrentControlSet\Services /s /v ImagePath 2>nul <nul
SECTION service-name
reg query HKLM\SYSTEM\CurrentControlSet\Services /s /v DisplayName 2>nul <nul
ASK SERVICES
SECTION keys
ASK KEYS
SECTION paths
ASK PATHS
SECTION disk
dir /-c /a:d "%SystemDrive%\" 2>nul
SECTION reboot-keys
KEY HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending
KEY HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootInProgress
KEY HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\PackagesPending
KEY HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired
KEY HKLM\SOFTWARE\Microsoft\ServerManager\CurrentRebootAttempts
SECTION reboot-values
for %v in (PendingFileRenameOperations PendingFileRenameOperations2) do reg query "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager" /v %v 2>nul <nul
for %v in (JoinDomain AvoidSpnSet) do reg query HKLM\SYSTEM\CurrentControlSet\Services\Netlogon /v %v 2>nul <nul
for %v in (ActiveComputerName ComputerName) do reg query "HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\%v" /v ComputerName 2>nul <nul
reg query HKLM\SOFTWARE\Microsoft\Updates /v UpdateExeVolatile /reg:64 2>nul <nul
reg query HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce /v DVDRebootSignal /reg:64 2>nul <nul
SECTION installer
KEY HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress
SECTION security
reg query "HKLM\SOFTWARE\Microsoft\Security Center\Provider\Av" /s /reg:64 2>nul <nul
for %v in (DisableAntiSpyware DisableAntiVirus PassiveMode) do reg query "HKLM\SOFTWARE\Microsoft\Windows Defender" /v %v /reg:64 2>nul <nul
for %v in (DisableAntiSpyware DisableAntiVirus) do reg query "HKLM\SOFTWARE\Policies\Microsoft\Windows Defender" /v %v /reg:64 2>nul <nul
for %k in (Microsoft Policies\Microsoft) do reg query "HKLM\SOFTWARE\%k\Windows Defender\Real-Time Protection" /v DisableRealtimeMonitoring /reg:64 2>nul <nul
reg query "HKLM\SOFTWARE\Policies\Microsoft\Windows Advanced Threat Protection" /v ForceDefenderPassiveMode /reg:64 2>nul <nul
END
exit 0
