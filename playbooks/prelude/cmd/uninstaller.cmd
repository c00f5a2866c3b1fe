:: uninstaller: runs a registered uninstaller, and waits until its entry is
:: gone and its children have ended, for wait seconds: many copy themselves,
:: end with 0 at once, and go on working.
:uninstaller
call :act
call :output
call :meaning%step%
set "waited=0"
set "seconds=2"
if "%verdict%"=="ok" goto uninstaller_wait
if "%verdict%"=="reboot" goto uninstaller_wait
call :finish
goto :eof
:uninstaller_wait
set "there=no"
call :look%step%
chcp 437 >nul 2>nul <nul
if "%there%"=="no" call :children%step%
chcp 65001 >nul 2>nul <nul
if "%there%"=="no" goto uninstaller_gone
if %waited% GEQ %wait% goto uninstaller_over
call :pause
set /a waited+=seconds
goto uninstaller_wait
:uninstaller_over
set "there=no"
call :look%step%
if "%there%"=="yes" if "%verdict%"=="ok" goto remains
:uninstaller_gone
call :finish
goto :eof
