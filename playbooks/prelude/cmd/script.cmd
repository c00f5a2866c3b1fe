:: script: runs a step's own text in a cmd of its own.
:script
call :act
call :output
call :meaning%step%
call :finish
goto :eof
