if not exist "%BASE%\" md "%BASE%" >nul 2>nul
icacls "%BASE%" /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" >nul 2>nul <nul
if errorlevel 1 set "WHY=storage"
REFUSE
if not exist "%DIR%\" md "%DIR%" >nul 2>nul
icacls "%DIR%" /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" >nul 2>nul <nul
if errorlevel 1 set "WHY=storage"
REFUSE
set "RUN=%DIR%\LAUNCH"
md "%RUN%" >nul 2>nul
md "%RUN%\secrets" >nul 2>nul
STAGE
if not "%WHY%"=="-" rd /s /q "%RUN%" >nul 2>nul
if not "%WHY%"=="-" del /f /q "%DIR%\LAUNCH.claim" >nul 2>nul
REFUSE
SECTION accepted
if not exist "%DIR%\claim" call "%RUN%\start.cmd"
set "STARTED=%RUN%"
