:: remove_key: removes a registry key and all below it, in both views.
:remove_key
set "code=0"
set "verdict=absent"
for %%v in (64 32) do call :remove_key_in %%v
call :finish
goto :eof
:remove_key_in
reg query "%key%" /reg:%1 >nul 2>nul <nul
if errorlevel 1 goto :eof
if "%verdict%"=="absent" set "verdict=ok"
reg delete "%key%" /f /reg:%1 >nul 2>>"%OUST_DIR%\log" <nul
reg query "%key%" /reg:%1 >nul 2>nul <nul
if errorlevel 1 goto :eof
set "code=1"
set "verdict=failed"
goto :eof
