@echo off
:: oust: removal of
::   Kaspersky Endpoint Security for Windows (playbook kaspersky/kes-windows sha256:d4f362f675fdb6202f4df3eacae5b32a735f74bad0ac43d7b55844d209faa78b)
::   Kaspersky Security Center Network Agent (playbook kaspersky/klnagent sha256:c0838d25ef0addd3767cd79aa685006bd48fdea43afc2aadd1fda19f83f6b460)
:: Steps:
::   1. uninstall Kaspersky Endpoint Security for Windows 12.4.0.467 with Windows Installer: {27534751-4A40-48BD-B393-BC3BF28C876E}
::   2. remove the shared folder %%ProgramFiles(x86)%%\Kaspersky Lab if it is empty
::   3. remove the shared folder %%ProgramFiles%%\Kaspersky Lab if it is empty
::   4. remove the shared folder %%ProgramData%%\Kaspersky Lab if it is empty
::   5. uninstall Kaspersky Security Center Network Agent 12.0.0.7734 with Windows Installer: {ED1C2D7E-5C7A-48D8-A697-57D1C080ABA7}
::   6. remove the shared folder %%ProgramFiles(x86)%%\Kaspersky Lab if it is empty
::   7. remove the shared folder %%ProgramData%%\Kaspersky Lab if it is empty
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul 2>nul <nul
if not defined OUST_DIR exit /b 50
if not exist "%OUST_DIR%\" exit /b 50
set "busy_wait=60"
set "reboot=no"
set "over="
set "more="

set "changed=no"
set "step=1"
set "soft=no"
call :msi
if defined over exit /b %over%
set "step=2"
set "soft=yes"
set "target="
if defined ProgramFiles(x86) set "target=%ProgramFiles(x86)%\Kaspersky Lab"
call :remove_empty
if defined over exit /b %over%
set "step=3"
set "soft=yes"
set "target="
if defined ProgramFiles set "target=%ProgramFiles%\Kaspersky Lab"
call :remove_empty
if defined over exit /b %over%
set "step=4"
set "soft=yes"
set "target="
if defined ProgramData set "target=%ProgramData%\Kaspersky Lab"
call :remove_empty
if defined over exit /b %over%
if "%changed%"=="yes" set "reboot=yes"

set "changed=no"
set "step=5"
set "soft=no"
call :msi
if defined over exit /b %over%
set "step=6"
set "soft=yes"
set "target="
if defined ProgramFiles(x86) set "target=%ProgramFiles(x86)%\Kaspersky Lab"
call :remove_empty
if defined over exit /b %over%
set "step=7"
set "soft=yes"
set "target="
if defined ProgramData set "target=%ProgramData%\Kaspersky Lab"
call :remove_empty
if defined over exit /b %over%

if "%reboot%"=="yes" exit /b 20
exit /b 0

:record1
>>"%OUST_DIR%\result" echo 1 %verdict% %code% kaspersky/kes-windows uninstall Kaspersky Endpoint Security for Windows 12.4.0.467 with Windows Installer: {27534751-4A40-48BD-B393-BC3BF28C876E}%more%
>>"%OUST_DIR%\log" echo oust: step 1: %verdict%, exit %code%: uninstall Kaspersky Endpoint Security for Windows 12.4.0.467 with Windows Installer: {27534751-4A40-48BD-B393-BC3BF28C876E}%more%
goto :eof

:meaning1
set "verdict=failed"
if "%code%"=="0" set "verdict=ok"
if "%code%"=="1605" set "verdict=absent"
if "%code%"=="1614" set "verdict=absent"
if "%code%"=="1618" set "verdict=busy"
if "%code%"=="1641" set "verdict=reboot"
if "%code%"=="3010" set "verdict=reboot"
goto :eof

:run1
if exist "%OUST_DIR%\secrets\kes_windows_password.cmd" goto run1_with
msiexec /x {27534751-4A40-48BD-B393-BC3BF28C876E} /qn /norestart REBOOT=ReallySuppress /liwearumo "%log%" >nul 2>nul <nul
set "code=%ERRORLEVEL%"
goto :eof
:run1_with
call "%OUST_DIR%\secrets\kes_windows_password.cmd"
msiexec /x {27534751-4A40-48BD-B393-BC3BF28C876E} /qn /norestart REBOOT=ReallySuppress KLLOGIN="KLAdmin" KLPASSWD="%OUST_SECRET_MSI%" /liwearumo "%log%" >nul 2>nul <nul
set "code=%ERRORLEVEL%"
set "OUST_SECRET="
set "OUST_SECRET_MSI="
goto :eof

:look1
reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{27534751-4A40-48BD-B393-BC3BF28C876E}" /reg:32 >nul 2>nul <nul
if not errorlevel 1 set "there=yes"
goto :eof

:denied1
type "%log%" 2>nul <nul | find "password is" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "Password is" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "password was" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "ncorrect password" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "rong password" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "nvalid password" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "password protect" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "Password protect" >nul
if not errorlevel 1 set "denied=yes"
goto :eof

:record2
>>"%OUST_DIR%\result" echo 2 %verdict% %code% kaspersky/kes-windows remove the shared folder %%ProgramFiles^(x86^)%%\Kaspersky Lab if it is empty%more%
>>"%OUST_DIR%\log" echo oust: step 2: %verdict%, exit %code%: remove the shared folder %%ProgramFiles^(x86^)%%\Kaspersky Lab if it is empty%more%
goto :eof

:record3
>>"%OUST_DIR%\result" echo 3 %verdict% %code% kaspersky/kes-windows remove the shared folder %%ProgramFiles%%\Kaspersky Lab if it is empty%more%
>>"%OUST_DIR%\log" echo oust: step 3: %verdict%, exit %code%: remove the shared folder %%ProgramFiles%%\Kaspersky Lab if it is empty%more%
goto :eof

:record4
>>"%OUST_DIR%\result" echo 4 %verdict% %code% kaspersky/kes-windows remove the shared folder %%ProgramData%%\Kaspersky Lab if it is empty%more%
>>"%OUST_DIR%\log" echo oust: step 4: %verdict%, exit %code%: remove the shared folder %%ProgramData%%\Kaspersky Lab if it is empty%more%
goto :eof

:record5
>>"%OUST_DIR%\result" echo 5 %verdict% %code% kaspersky/klnagent uninstall Kaspersky Security Center Network Agent 12.0.0.7734 with Windows Installer: {ED1C2D7E-5C7A-48D8-A697-57D1C080ABA7}%more%
>>"%OUST_DIR%\log" echo oust: step 5: %verdict%, exit %code%: uninstall Kaspersky Security Center Network Agent 12.0.0.7734 with Windows Installer: {ED1C2D7E-5C7A-48D8-A697-57D1C080ABA7}%more%
goto :eof

:meaning5
set "verdict=failed"
if "%code%"=="0" set "verdict=ok"
if "%code%"=="1605" set "verdict=absent"
if "%code%"=="1614" set "verdict=absent"
if "%code%"=="1618" set "verdict=busy"
if "%code%"=="1641" set "verdict=reboot"
if "%code%"=="3010" set "verdict=reboot"
goto :eof

:run5
if exist "%OUST_DIR%\secrets\klnagent_windows_password.cmd" goto run5_with
msiexec /x {ED1C2D7E-5C7A-48D8-A697-57D1C080ABA7} /qn /norestart REBOOT=ReallySuppress /liwearumo "%log%" >nul 2>nul <nul
set "code=%ERRORLEVEL%"
goto :eof
:run5_with
call "%OUST_DIR%\secrets\klnagent_windows_password.cmd"
msiexec /x {ED1C2D7E-5C7A-48D8-A697-57D1C080ABA7} /qn /norestart REBOOT=ReallySuppress KLUNINSTPASSWD="%OUST_SECRET_MSI%" /liwearumo "%log%" >nul 2>nul <nul
set "code=%ERRORLEVEL%"
set "OUST_SECRET="
set "OUST_SECRET_MSI="
goto :eof

:look5
reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{ED1C2D7E-5C7A-48D8-A697-57D1C080ABA7}" /reg:32 >nul 2>nul <nul
if not errorlevel 1 set "there=yes"
goto :eof

:denied5
type "%log%" 2>nul <nul | find "password is" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "Password is" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "password was" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "ncorrect password" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "rong password" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "nvalid password" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "password protect" >nul
if not errorlevel 1 set "denied=yes"
type "%log%" 2>nul <nul | find "Password protect" >nul
if not errorlevel 1 set "denied=yes"
goto :eof

:record6
>>"%OUST_DIR%\result" echo 6 %verdict% %code% kaspersky/klnagent remove the shared folder %%ProgramFiles^(x86^)%%\Kaspersky Lab if it is empty%more%
>>"%OUST_DIR%\log" echo oust: step 6: %verdict%, exit %code%: remove the shared folder %%ProgramFiles^(x86^)%%\Kaspersky Lab if it is empty%more%
goto :eof

:record7
>>"%OUST_DIR%\result" echo 7 %verdict% %code% kaspersky/klnagent remove the shared folder %%ProgramData%%\Kaspersky Lab if it is empty%more%
>>"%OUST_DIR%\log" echo oust: step 7: %verdict%, exit %code%: remove the shared folder %%ProgramData%%\Kaspersky Lab if it is empty%more%
goto :eof

:: finish: records verdict, code and more, and sets over if the script must end.
:finish
call :record%step%
set "more="
if "%verdict%"=="ok" if "%soft%"=="no" set "changed=yes"
if "%verdict%"=="reboot" set "changed=yes"
if "%verdict%"=="reboot" set "reboot=yes"
if "%verdict%"=="busy" set "over=30"
if "%verdict%"=="protected" set "over=40"
if "%verdict%"=="unsupported" set "over=60"
if "%verdict%"=="failed" if "%soft%"=="no" set "over=50"
goto :eof

:: remains: the uninstaller called it a success and left its entry. The script
:: stops here, and whoever looks at the host next will find the product.
:remains
set "verdict=failed"
set "more=: it ended well, and its entry is still there"
call :record%step%
set "over=0"
goto :eof
goto :eof

:: output: adds what a program has printed to the log.
:output
for %%f in ("%OUST_DIR%\out-%step%") do if %%~zf LSS 4000000 type "%%~f" >>"%OUST_DIR%\log" 2>nul <nul
goto :eof

:: act: runs what the step calls. What it puts into its folder for temporary
:: files may run as SYSTEM, and every user may write into that of Windows.
:act
set "windows_temp=%TEMP%"
set "windows_tmp=%TMP%"
set "TEMP=%OUST_DIR%\temp"
set "TMP=%OUST_DIR%\temp"
call :run%step%
set "TEMP=%windows_temp%"
set "TMP=%windows_tmp%"
goto :eof

:: pause: waits for some seconds.
:pause
set /a pings=seconds+1
ping -n %pings% 127.0.0.1 >nul <nul
goto :eof

:: msi: removes a product with Windows Installer, and waits while another
:: installation runs (1618), for busy_wait seconds.
:msi
set "waited=0"
set "seconds=2"
set "log=%OUST_DIR%\msi-%step%.log"
:msi_again
del /f /q "%log%" >nul 2>nul
call :act
if not "%code%"=="1618" goto msi_ran
if %waited% GEQ %busy_wait% goto msi_busy
>>"%OUST_DIR%\log" echo oust: another installation is at work; next try in %seconds% s
call :pause
set /a waited+=seconds
set /a seconds*=2
if %seconds% GTR 30 set "seconds=30"
goto msi_again
:msi_busy
set "verdict=busy"
set "more=: another installation ran for %waited% s"
call :finish
goto :eof
:msi_ran
call :msi_log
call :meaning%step%
set "denied=no"
:: FIND does not work under the code page of UTF-8 on all systems.
chcp 437 >nul 2>nul <nul
if "%verdict%"=="failed" call :denied%step%
chcp 65001 >nul 2>nul <nul
if "%denied%"=="yes" set "verdict=protected"
set "there=no"
if "%verdict%"=="ok" call :look%step%
if "%there%"=="yes" goto remains
if "%verdict%"=="absent" call :look%step%
if "%there%"=="yes" set "more=: Windows Installer does not know it; its entry is all that is left, and a person must remove that"
call :finish
goto :eof

:: msi_log: prints the end of Windows Installer's log.
:msi_log
if not exist "%log%" goto :eof
set "lines=0"
for /f "delims=" %%l in ('type "%log%" 2^>nul ^<nul') do set /a lines+=1
set /a lines-=300
>>"%OUST_DIR%\log" echo oust: the log of Windows Installer:
if %lines% GTR 0 goto msi_tail
for /f "delims=" %%l in ('type "%log%" 2^>nul ^<nul') do >>"%OUST_DIR%\log" echo ^| %%l
goto :eof
:msi_tail
for /f "skip=%lines% delims=" %%l in ('type "%log%" 2^>nul ^<nul') do >>"%OUST_DIR%\log" echo ^| %%l
goto :eof

:: remove_tree: removes target: a file, a link itself, or a folder and all in
:: it. What lies below a link is left alone. The folders above are looked at
:: twice, the second time from inside: while a shell stands in a folder, nobody
:: renames it, or one above it, and puts a link in its place.
:remove_tree
set "code=0"
set "verdict=absent"
set "inside="
if not defined target goto remove_done
if "%target:~3%"=="" goto remove_shallow
:remove_look
set "above=%target%"
if exist "%target%" goto remove_up
set "attr="
for %%p in ("%target%") do set "attr=%%~ap"
if not defined attr goto remove_done
:remove_up
for %%p in ("%above%\..") do set "above=%%~fp"
if "%above:~3%"=="" goto remove_it
set "attr=-"
for %%p in ("%above%") do set "attr=-%%~ap"
if "%attr:l=%"=="%attr%" goto remove_up
set "verdict=failed"
set "code=1"
set "more=: left alone: a folder above it is a link"
goto remove_done
:remove_shallow
set "verdict=failed"
set "code=1"
set "more=: left alone: its path is not deep enough"
goto remove_done
:remove_it
if defined inside goto remove_now
for %%p in ("%target%\..") do set "above=%%~fp"
for %%p in ("%target%") do set "name=%%~nxp"
set "verdict=failed"
set "code=1"
set "more=: left alone: the folder above it cannot be entered"
pushd "%above%" 2>nul && set "inside=yes"
if not defined inside goto remove_done
set "code=0"
set "verdict=absent"
set "more="
goto remove_look
:remove_now
set "verdict=ok"
set "attr=-"
for %%p in ("%target%") do set "attr=-%%~ap"
if not "%attr:l=%"=="%attr%" goto remove_link
if exist ".\%name%\" rd /s /q ".\%name%" >nul 2>>"%OUST_DIR%\log" <nul
goto remove_file
:remove_link
rd ".\%name%" >nul 2>nul <nul
:: DEL takes a folder, or a link to one, for all files in it.
:remove_file
if not exist ".\%name%\" if exist ".\%name%" del /f /q /a ".\%name%" >nul 2>>"%OUST_DIR%\log" <nul
if exist "%target%" set "code=1"
if exist "%target%" set "verdict=failed"
:remove_done
if defined inside popd
call :finish
goto :eof

:: remove_empty: removes target if it is an empty folder. RD takes a link to a
:: folder for an empty one.
:remove_empty
set "code=0"
set "verdict=absent"
set "inside="
if not defined target goto remove_done
if not exist "%target%\" goto remove_done
set "attr=-"
for %%p in ("%target%") do set "attr=-%%~ap"
if not "%attr:l=%"=="%attr%" goto remove_done
rd "%target%" >nul 2>nul <nul
if not exist "%target%\" set "verdict=ok"
goto remove_done
