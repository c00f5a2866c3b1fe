SECTION state
if exist "%DIR%\" echo folder
if exist "%DIR%\claim" for /f "usebackq tokens=1,2" %a in ("%DIR%\claim") do if "%a"=="launch" set "L=%b"
set "RUN=%DIR%\%L%"
if exist "%DIR%\claim" echo claim %L%
schtasks /query /tn "oust-ID" /v /fo csv /nh 2>nul <nul | find "267009" >nul
if not errorlevel 1 set "ALIVE=yes"
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
