:: Starts the job and waits for its end, at most WAIT seconds.
for %%p in ("%~dp0..") do set "DIR=%%~fp"
set "TASK=oust-%ID%-%LAUNCH%"
schtasks /create /tn "%TASK%" /xml "%~dp0task.xml" /f >"%~dp0why" 2>&1 <nul
if errorlevel 1 exit /b 1
schtasks /run /tn "%TASK%" >"%~dp0why" 2>&1 <nul
if errorlevel 1 exit /b 1
del /f /q "%~dp0why" >nul 2>nul
set "tries=0"
:start
if exist "%DIR%\claim" goto claimed
set /a tries+=1
if %tries% GTR 20 exit /b 0
ping -n 2 127.0.0.1 >nul <nul
goto start
:claimed
for /f "usebackq tokens=1,2" %%a in ("%DIR%\claim") do if "%%a"=="launch" set "LAUNCH=%%b"
:wait
if exist "%DIR%\%LAUNCH%\end" exit /b 0
if not exist "%DIR%\%LAUNCH%\" exit /b 0
set /a tries+=1
if %tries% GTR %WAIT% exit /b 0
ping -n 2 127.0.0.1 >nul <nul
goto wait
