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
