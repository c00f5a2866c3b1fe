if not "%L%"=="LAUNCH" if exist "%DIR%\claim" rd /s /q "%STARTED%" >nul 2>nul
if not "%L%"=="LAUNCH" if exist "%DIR%\claim" del /f /q "%DIR%\LAUNCH.claim" >nul 2>nul
if not "%L%"=="LAUNCH" if exist "%DIR%\claim" schtasks /delete /tn "oust-ID-LAUNCH" /f >nul 2>nul <nul
SECTION why
if exist "%STARTED%\why" type "%STARTED%\why"
:: What was not started keeps no secret.
if not exist "%DIR%\claim" if exist "%STARTED%\why" rd /s /q "%STARTED%\secrets" >nul 2>nul
