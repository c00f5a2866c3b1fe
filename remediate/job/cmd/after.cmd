if not "%L%"=="LAUNCH" if exist "%DIR%\claim" rd /s /q "%STARTED%" 2>nul
if not "%L%"=="LAUNCH" if exist "%DIR%\claim" del /f /q "%DIR%\LAUNCH.claim" >nul 2>nul
SECTION why
if exist "%STARTED%\why" type "%STARTED%\why"
