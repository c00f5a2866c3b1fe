if not "%ALIVE%"=="yes" if exist "%DIR%\claim" if not exist "%RUN%\end" rd /s /q "%RUN%\secrets" 2>nul
SECTION result
if exist "%RUN%\result" type "%RUN%\result"
SECTION log
set "SIZE=0"
if not "%ALIVE%"=="yes" if exist "%RUN%\log" for %f in ("%RUN%\log") do set "SIZE=%~zf"
if %SIZE% GTR 0 if %SIZE% LEQ MAXTYPE type "%RUN%\log"
set "N=0"
if %SIZE% GTR MAXTYPE for /f "usebackq delims=" %l in ("%RUN%\log") do set /a N+=1 >nul
set /a N-=TAILLINES >nul
if %N% LSS 1 set "N=1"
if %SIZE% GTR MAXTYPE echo CUT
if %SIZE% GTR MAXTYPE for /f "usebackq skip=%N% delims=" %l in ("%RUN%\log") do echo %l
echo.
END
exit 0
