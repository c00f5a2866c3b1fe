PATHS
set "BASE=%ProgramFiles%\oust"
if defined ProgramW6432 set "BASE=%ProgramW6432%\oust"
set "DIR=%BASE%\ID"
set "L=-"
set "ALIVE=no"
set "WHY=-"
reg query HKU\S-1-5-19 >nul 2>nul <nul
if errorlevel 1 set "WHY=privilege"
REFUSE
:: FIND does not work under the code page of UTF-8 on all systems, and nothing
:: can be told of a task without it.
chcp 437 >nul 2>nul <nul
echo x,"267009",x| find ",""267009""," >nul
if errorlevel 1 set "WHY=shell"
chcp 65001 >nul 2>nul <nul
REFUSE
set "ATTR=-"
if exist "%BASE%\" for %p in ("%BASE%") do set "ATTR=-%~ap"
if not "%ATTR:l=%"=="%ATTR%" set "WHY=base"
REFUSE
