:: process: ends processes by the names of their programs. taskkill says 128
:: where there is none.
:process
set "verdict=absent"
set "code=0"
for %%s in (%processes%) do call :process_one %%s
call :finish
goto :eof
:process_one
taskkill /f /t /im "%~1" >nul 2>nul <nul
if "%ERRORLEVEL%"=="128" goto :eof
if "%verdict%"=="absent" set "verdict=ok"
set "seconds=1"
call :pause
taskkill /f /t /im "%~1" >nul 2>nul <nul
set "ended=%ERRORLEVEL%"
if "%ended%"=="128" goto :eof
set "verdict=failed"
set "code=%ended%"
set "more=: %~1 still runs"
goto :eof
