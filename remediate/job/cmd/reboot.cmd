PATHS
set "BASE=%ProgramFiles%\oust"
if defined ProgramW6432 set "BASE=%ProgramW6432%\oust"
set "STATE=-"
set "WHY=-"
set "RUNS=-"
set "USERS=0"
set "DELAY=0"
set "T=SOON"
set "CODE=-"
reg query HKU\S-1-5-19 >nul 2>nul <nul
if errorlevel 1 set "WHY=privilege"
:: FIND does not work under the code page of UTF-8 on all systems.
chcp 437 >nul 2>nul <nul
echo x,"267009",x| find ",""267009""," >nul
if errorlevel 1 set "WHY=shell"
SECTION boot
QUERYBOOT
set "BOOT=-"
set "SHUT=-"
READBOOT
COMPARE
:: Jobs: launches without an end whose task runs, or waits for its start. A task
:: that is there and cannot be asked counts as one that runs.
if "%STATE%%WHY%"=="--" if exist "%BASE%\" for /f "delims=" %d in ('dir /b /a:d "%BASE%" 2^>nul') do for /f "delims=" %l in ('dir /b /a:d "%BASE%\%d" 2^>nul') do (schtasks /query /tn "oust-%d-%l" /v /fo csv /nh 2>nul <nul | find ",""267009""," >nul & if not errorlevel 1 if not exist "%BASE%\%d\%l\end" set "RUNS=%d")
if "%STATE%%WHY%"=="--" if exist "%BASE%\" for /f "delims=" %d in ('dir /b /a:d "%BASE%" 2^>nul') do for /f "delims=" %l in ('dir /b /a:d "%BASE%\%d" 2^>nul') do (schtasks /query /tn "oust-%d-%l" /v /fo csv /nh 2>nul <nul | find ",""267045""," >nul & if not errorlevel 1 if not exist "%BASE%\%d\%l\end" set "RUNS=%d")
if "%STATE%%WHY%"=="--" if exist "%BASE%\" for /f "delims=" %d in ('dir /b /a:d "%BASE%" 2^>nul') do for /f "delims=" %l in ('dir /b /a:d "%BASE%\%d" 2^>nul') do (schtasks /query /tn "oust-%d-%l" >nul 2>nul <nul & if errorlevel 1 if not exist "%BASE%\%d\%l\end" if exist "%SystemRoot%\System32\Tasks\oust-%d-%l" set "RUNS=%d")
if not "%RUNS%"=="-" set "WHY=busy"
:: Windows Installer: its key may be left by an installation that a crash has cut
:: off, and its service stays a while; an installation has both.
set "MSI=no"
reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress" >nul 2>nul <nul
if not errorlevel 1 set "MSI=yes"
if "%MSI%"=="yes" (tasklist /nh >nul 2>nul <nul & if not errorlevel 1 set "MSI=asked")
if "%MSI%"=="asked" (tasklist /nh 2>nul <nul | find /i "msiexec.exe" >nul & if errorlevel 1 set "MSI=no")
if not "%MSI%"=="no" if "%STATE%%WHY%"=="--" set "WHY=busy"
:: People: whose hive is loaded. This session has loaded its own account's, which
:: counts if it has a session with a desktop as well.
set "ME=-"
for /f "tokens=2 delims=," %s in ('whoami /user /fo csv /nh 2^>nul ^<nul') do set "ME=%~s"
for /f "tokens=2 delims=\" %s in ('reg query HKU 2^>nul ^<nul ^| find "S-1-5-21-"') do (echo %s| find "_Classes" >nul & if errorlevel 1 if /i not "%s"=="%ME%" set /a USERS+=1 >nul)
for /f "tokens=2 delims=\" %s in ('reg query HKU 2^>nul ^<nul ^| find "S-1-12-1-"') do (echo %s| find "_Classes" >nul & if errorlevel 1 if /i not "%s"=="%ME%" set /a USERS+=1 >nul)
if not "%ME%"=="-" (reg query "HKU\%ME%\Volatile Environment" /s /v SESSIONNAME 2>nul <nul | find "SESSIONNAME" >nul & if not errorlevel 1 set /a USERS+=1 >nul)
if %USERS% GTR 0 set "DELAY=SECONDS"
if %DELAY% GTR %T% set "T=%DELAY%"
chcp 65001 >nul 2>nul <nul
ASKING
SECTION said
if "%STATE%%WHY%"=="--" SHUTDOWN 2>&1 <nul
if "%STATE%%WHY%"=="--" set "CODE=%ERRORLEVEL%"
SECTION state
echo state %STATE%
echo why %WHY%
echo runs %RUNS%
echo code %CODE%
echo users %USERS%
echo delay %DELAY%
END
exit 0
