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
