SECTION state
if exist "%DIR%\" echo folder
if exist "%DIR%\" for /f "delims=" %d in ('dir /b /a:d "%DIR%" 2^>nul') do set "L=%d"
if exist "%DIR%\claim" for /f "usebackq tokens=1,2" %a in ("%DIR%\claim") do if "%a"=="launch" set "L=%b"
set "RUN=%DIR%\%L%"
if exist "%DIR%\claim" echo claim %L%
:: The task of the launch: 267009 is the result of one that runs, 267045 of one
:: that waits for its start. One that is there and cannot be asked counts as
:: one that runs.
chcp 437 >nul 2>nul <nul
schtasks /query /tn "oust-ID-%L%" /v /fo csv /nh 2>nul <nul | find ",""267009""," >nul
if not errorlevel 1 set "ALIVE=yes"
schtasks /query /tn "oust-ID-%L%" /v /fo csv /nh 2>nul <nul | find ",""267045""," >nul
if not errorlevel 1 set "ALIVE=yes"
chcp 65001 >nul 2>nul <nul
schtasks /query /tn "oust-ID-%L%" >nul 2>nul <nul
if errorlevel 1 if exist "%SystemRoot%\System32\Tasks\oust-ID-%L%" set "ALIVE=yes"
echo alive %ALIVE%
SECTION end
if exist "%RUN%\end" type "%RUN%\end"
:: A job that has written its end touches nothing any more, though its task may
:: still be there for a moment.
if exist "%RUN%\end" set "ALIVE=no"
SECTION holder
if exist "%RUN%\holder" type "%RUN%\holder"
SECTION boot
QUERYBOOT
SECTION began
if exist "%RUN%\boot" type "%RUN%\boot"
