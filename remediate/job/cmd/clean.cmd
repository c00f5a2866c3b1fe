SECTION clean
set "H=-"
if exist "%BASE%\lock" for /f "usebackq tokens=1,2" %a in ("%BASE%\lock") do if "%a"=="owner" set "H=%b"
if not "%ALIVE%"=="yes" if "%H%"=="ID" ren "%BASE%\lock" "dead-ID" >nul 2>nul
if not "%ALIVE%"=="yes" del /f /q "%BASE%\dead-ID" "%BASE%\lock-ID" >nul 2>nul
if not "%ALIVE%"=="yes" schtasks /delete /tn "oust-ID" /f >nul 2>nul <nul
if not "%ALIVE%"=="yes" if exist "%DIR%\" rd /s /q "%DIR%" 2>&1 <nul
if exist "%DIR%\" echo left
if exist "%BASE%\" rd "%BASE%" >nul 2>nul
END
exit 0
