:: service: stops services and keeps them from starting again. Its codes are
:: those of Windows: 1060 no such service, 1062 it does not run, 5 refused.
:service
set "verdict=absent"
set "code=0"
set "seconds=1"
for %%s in (%services%) do call :service_one %%s
call :finish
goto :eof
:service_one
if "%verdict%"=="failed" goto :eof
if "%verdict%"=="protected" goto :eof
set "tries=0"
:service_stop
sc stop "%~1" >nul 2>nul <nul
set "code=%ERRORLEVEL%"
if "%code%"=="1060" goto service_none
if "%code%"=="1062" goto service_stopped
if "%code%"=="5" goto service_refused
set /a tries+=1
if %tries% GTR 60 goto service_stays
call :pause
goto service_stop
:service_stopped
sc config "%~1" start= disabled >nul 2>nul <nul
set "code=%ERRORLEVEL%"
if "%code%"=="5" goto service_refused
if not "%code%"=="0" goto service_stays
set "verdict=ok"
goto :eof
:service_none
set "code=0"
goto :eof
:service_refused
set "verdict=protected"
set "more=: %~1 may not be stopped"
goto :eof
:service_stays
set "verdict=failed"
set "more=: %~1 did not stop or could not be disabled"
goto :eof
