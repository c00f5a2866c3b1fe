:: script: runs a step's own text in a cmd of its own.
:script
call :run%step%
cmd /d /q /e:on /v:off /s /c ""%OUST_DIR%\step-%step%.cmd"" >"%OUST_DIR%\out-%step%" 2>&1 <nul
set "code=%ERRORLEVEL%"
call :output
call :meaning%step%
call :finish
goto :eof
