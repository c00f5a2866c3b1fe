set "BASE=%ProgramFiles%\oust"
if defined ProgramW6432 set "BASE=%ProgramW6432%\oust"
set "DIR=%BASE%\ID"
set "L=-"
set "ALIVE=no"
set "WHY=-"
reg query HKU\S-1-5-19 >nul 2>nul <nul
if errorlevel 1 set "WHY=privilege"
REFUSE
set "ATTR=-"
if exist "%BASE%\" for %p in ("%BASE%") do set "ATTR=-%~ap"
if not "%ATTR:l=%"=="%ATTR%" set "WHY=base"
REFUSE
