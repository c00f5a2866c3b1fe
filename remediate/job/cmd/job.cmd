:: The job itself. It runs as SYSTEM with no session and no input. Set before:
:: ID, LAUNCH.
for %%p in ("%~dp0..\..") do set "BASE=%%~fp"
set "DIR=%BASE%\%ID%"
set "RUN=%DIR%\%LAUNCH%"
set "PATH=%SystemRoot%\System32;%SystemRoot%;%SystemRoot%\System32\Wbem"
set "PATHEXT=.COM;.EXE;.BAT;.CMD"
cd /d "%SystemRoot%"
chcp 65001 >nul 2>nul <nul
>"%RUN%\boot" echo.
BOOT
:: The claim: a rename that fails if the name is taken.
if not exist "%DIR%\%LAUNCH%.claim" exit /b 1
ren "%DIR%\%LAUNCH%.claim" claim >nul 2>nul
if exist "%DIR%\%LAUNCH%.claim" goto late
if not exist "%DIR%\claim" exit /b 1
set "how=refused"
set "code=0"
copy /y "%DIR%\claim" "%BASE%\lock-%ID%" >nul 2>nul <nul
if not exist "%BASE%\lock-%ID%" goto finish
:: One attempt at a time on a host.
set "tries=0"
:lock
set /a tries+=1
ren "%BASE%\lock-%ID%" lock >nul 2>nul
if not exist "%BASE%\lock-%ID%" goto locked
if %tries% GTR 30 goto finish
set "holder="
for /f "usebackq tokens=1,2" %%a in ("%BASE%\lock") do if "%%a"=="owner" set "holder=%%b"
if not defined holder goto again
:: Who holds the lock has a claim and runs, or is dead.
if not exist "%BASE%\%holder%\claim" goto dead
schtasks /query /tn "oust-%holder%" /v /fo csv /nh 2>nul <nul | find "267009" >nul
if not errorlevel 1 goto taken
:: Of all who find it dead one renames it: that name is there once.
:dead
ren "%BASE%\lock" "dead-%holder%" >nul 2>nul
goto lock
:again
ping -n 2 127.0.0.1 >nul <nul
goto lock
:taken
copy /y "%BASE%\lock" "%RUN%\holder" >nul 2>nul <nul
set "how=locked"
goto finish
:locked
set "OUST_DIR=%RUN%"
:: The script writes the log itself: what it starts must not inherit the log
:: open, or a child that stays would hold the folder.
cmd /d /q /e:on /v:off /s /c ""%RUN%\script.cmd"" >nul 2>nul <nul
set "code=%ERRORLEVEL%"
rd /s /q "%RUN%\secrets" >nul 2>nul
del /f /q "%BASE%\lock" >nul 2>nul
set "how=ended"
:finish
rd /s /q "%RUN%\secrets" >nul 2>nul
del /f /q "%BASE%\lock-%ID%" >nul 2>nul
set "tries=0"
:end
set /a tries+=1
>"%RUN%\end.new" echo state %how%
>>"%RUN%\end.new" echo exit %code%
>>"%RUN%\end.new" echo whole
for %%f in ("%RUN%\end.new") do if %%~zf LSS 20 goto full
ren "%RUN%\end.new" end >nul 2>nul
if exist "%RUN%\end" goto over
:: Full, perhaps for a moment; or removed by hand.
:full
if not exist "%RUN%\" goto over
if %tries% GTR 10 goto over
ping -n 6 127.0.0.1 >nul <nul
goto end
:over
schtasks /delete /tn "oust-%ID%" /f >nul 2>nul <nul
exit /b 0
:late
del /f /q "%DIR%\%LAUNCH%.claim" >nul 2>nul
rd /s /q "%RUN%" >nul 2>nul
exit /b 0
