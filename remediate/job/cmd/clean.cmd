SECTION clean
set "H=-"
if exist "%BASE%\lock" for /f "usebackq tokens=1,2" %a in ("%BASE%\lock") do if "%a"=="owner" set "H=%b"
if not "%ALIVE%"=="yes" if "%H%"=="ID" ren "%BASE%\lock" "dead-ID" >nul 2>nul
if not "%ALIVE%"=="yes" del /f /q "%BASE%\dead-ID" "%BASE%\lock-ID" >nul 2>nul
if not "%ALIVE%"=="yes" if exist "%DIR%\" for /f "delims=" %d in ('dir /b /a:d "%DIR%" 2^>nul') do schtasks /delete /tn "oust-ID-%d" /f >nul 2>nul <nul
:: A virus scanner, or a process that is just ending, may hold a file for a
:: moment; and there are shells whose RD /S gives up half-way.
if not "%ALIVE%"=="yes" if exist "%DIR%\" rd /s /q "%DIR%" >nul 2>nul <nul
if not "%ALIVE%"=="yes" if exist "%DIR%\" ping -n 2 127.0.0.1 >nul <nul
if not "%ALIVE%"=="yes" if exist "%DIR%\" rd /s /q "%DIR%" >nul 2>nul <nul
if not "%ALIVE%"=="yes" if exist "%DIR%\" ping -n 2 127.0.0.1 >nul <nul
if not "%ALIVE%"=="yes" if exist "%DIR%\" rd /s /q "%DIR%" >nul 2>nul <nul
set "D=-"
if not "%ALIVE%"=="yes" if exist "%DIR%\" for /f "delims=" %d in ('dir /b /a:d "%DIR%" 2^>nul') do set "D=%d"
if not "%ALIVE%"=="yes" if exist "%DIR%\%D%\" del /f /q "%DIR%\%D%\*" >nul 2>nul <nul
if not "%ALIVE%"=="yes" if exist "%DIR%\%D%\secrets\" rd "%DIR%\%D%\secrets" >nul 2>nul <nul
if not "%ALIVE%"=="yes" if exist "%DIR%\%D%\temp\" rd "%DIR%\%D%\temp" >nul 2>nul <nul
if not "%ALIVE%"=="yes" if exist "%DIR%\%D%\" rd "%DIR%\%D%" >nul 2>nul <nul
if not "%ALIVE%"=="yes" if exist "%DIR%\" rd "%DIR%" 2>&1 <nul
if exist "%DIR%\" echo left
if exist "%BASE%\" rd "%BASE%" >nul 2>nul
END
exit 0
