:: script: runs a step's own text in a cmd of its own.
:script
call :act
call :output
call :meaning%step%
call :finish
goto :eof
:: covering: script that removes entries of the list of programs, too.
:covering
call :act
call :output
call :meaning%step%
set "there=no"
if "%verdict%"=="ok" call :look%step%
if "%verdict%"=="absent" call :look%step%
if "%there%"=="yes" goto remains
call :finish
goto :eof
