$ErrorActionPreference = 'Stop';
$ProgressPreference = 'SilentlyContinue';
$started = Get-Date;
try { [Console]::OutputEncoding = New-Object System.Text.UTF8Encoding } catch { };
$reg = $env:SystemRoot + '\System32\reg.exe';
$icacls = $env:SystemRoot + '\System32\icacls.exe';
function Say($s) {
$s = [string]$s;
if ($s -cmatch '[^ -_a-~]') { $s = -join ($s.ToCharArray() | ForEach-Object { if ([string]$_ -cmatch '[ -_a-~]') { $_ } else { '`{0:x4}' -f [int]$_ } }) };
while ($s.Length -gt 70) { '+' + $s.Substring(0, 70); $s = $s.Substring(70) };
'.' + $s
};
function Reason($e) {
$id = [string]$e.FullyQualifiedErrorId;
$text = [string]$e.Exception.Message;
if ($id -eq $text) { $text } else { $id + ' ' + $text }
};
function Part($name, $do) {
'@NONCE section ' + $name;
try { & $do; Say 'done' } catch { Say ('error ' + (Reason $_)) }
};
function Run($exe, $words) {
$ErrorActionPreference = 'Continue';
& $exe $words 2>&1 | ForEach-Object { [string]$_ } | Where-Object { $_ -ne 'System.Management.Automation.RemoteException' }
};
function Forget($name) {
$key = 'HKU\' + $name;
$dir = $env:SystemRoot + '\' + $name;
$mounted = $true;
for ($i = 0; $mounted -and $i -lt 10; $i++) {
if ($i -gt 0) { Start-Sleep -Milliseconds 300 };
$said = Run $reg @('unload', $key);
$null = Run $reg @('query', $key);
$mounted = $LASTEXITCODE -eq 0
};
if ($mounted) { Say ('left ' + $key + ' ' + $said) };
try { if (Test-Path -LiteralPath $dir) { Remove-Item -LiteralPath $dir -Recurse -Force } } catch { Say ('left ' + $dir + ' ' + (Reason $_)) }
};
function Copied($sid, $file) {
$name = 'oust-look-NONCE';
$key = 'HKU\' + $name;
$dir = $env:SystemRoot + '\' + $name;
try {
if ((Get-Item -LiteralPath $file -Force).Length -gt 268435456) { throw 'the hive is larger than 256 MiB' };
$null = New-Item -ItemType Directory -Path $dir;
$said = Run $icacls @($dir, '/inheritance:r', '/grant:r', '*S-1-5-18:(OI)(CI)F', '*S-1-5-32-544:(OI)(CI)F');
if ($LASTEXITCODE -ne 0) { throw ('icacls: ' + $said) };
foreach ($f in @('', '.LOG1', '.LOG2')) { if (Test-Path -LiteralPath ($file + $f)) { Copy-Item -LiteralPath ($file + $f) -Destination ($dir + '\NTUSER.DAT' + $f) -Force } };
$said = Run $reg @('load', $key, ($dir + '\NTUSER.DAT'));
if ($LASTEXITCODE -ne 0) { throw ('reg load: ' + $said) };
$run = $key + '\Software\Microsoft\Windows\CurrentVersion';
$said = Run $reg @('query', $run);
if ($LASTEXITCODE -ne 0) { throw ('reg query: ' + $said) };
Say ('hive ' + $sid);
if (@($said | Where-Object { $_ -like '*\Uninstall' }).Count -eq 0) { Say 'none' } else {
Run $reg @('query', ($run + '\Uninstall'), '/s') | ForEach-Object { Say ('r ' + $_) };
Say ('rc ' + $LASTEXITCODE)
}
} catch { Say ('failed ' + $sid + ' ' + (Reason $_)) } finally { Forget $name }
};
Part 'host' {
Say ('version ' + $PSVersionTable.PSVersion);
Say ('language ' + $ExecutionContext.SessionState.LanguageMode)
};
Part 'appx' {
if (-not (Get-Command -Name Get-AppxPackage -ErrorAction SilentlyContinue)) { Say 'none' } else {
Get-AppxPackage -AllUsers | ForEach-Object {
Say ('name ' + $_.Name);
Say ('family ' + $_.PackageFamilyName);
Say ('publisher ' + $_.Publisher);
Say ('version ' + $_.Version);
if ($_.IsFramework) { Say 'framework' };
foreach ($u in $_.PackageUserInformation) { Say ('user ' + $u.UserSecurityId.Sid + ' ' + $u.InstallState) }
}
}
};
Part 'security' {
try {
Get-CimInstance -Namespace root/SecurityCenter2 -ClassName AntiVirusProduct | ForEach-Object { Say ('name ' + $_.displayName); Say ('state ' + $_.productState); Say ('path ' + $_.pathToSignedProductExe) }
} catch { if ($_.FullyQualifiedErrorId -match '8004100e') { Say 'none' } else { throw } }
};
Part 'profiles' {
$old = @(Get-ChildItem -LiteralPath $env:SystemRoot -Filter 'oust-look-*' -Force | Where-Object { $_.PSIsContainer -and $_.LastWriteTime -lt $started.AddMinutes(-10) -and $_.Name -match '^oust-look-[0-9a-f]{32}$' });
foreach ($o in $old) { Forget $o.Name };
$all = @(Get-ChildItem -LiteralPath 'Registry::HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList');
foreach ($p in $all) {
$sid = $p.PSChildName;
if ($sid -notmatch '^S-1-(5-21|12-1)-[0-9-]+(\.bak)?$') { continue };
try {
$file = [string](Get-ItemProperty -LiteralPath $p.PSPath).ProfileImagePath + '\NTUSER.DAT';
if (Test-Path -LiteralPath ('Registry::HKEY_USERS\' + $sid)) { Say ('loaded ' + $sid) }
elseif (-not (Test-Path -LiteralPath $file)) { Say ('gone ' + $sid + ' ' + $file) }
elseif (((Get-Date) - $started).TotalSeconds -gt 35) { Say ('late ' + $sid) }
else { Copied $sid $file }
} catch { Say ('failed ' + $sid + ' ' + (Reason $_)) }
}
}
