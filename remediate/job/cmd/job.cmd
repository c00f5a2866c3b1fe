:: The job itself. It runs as SYSTEM with no session and no input. Set before:
:: ID, LAUNCH.
for %%p in ("%~dp0..\..") do set "BASE=%%~fp"
set "DIR=%BASE%\%ID%"
set "RUN=%DIR%\%LAUNCH%"
PATHS
chcp 65001 >nul 2>nul <nul
>"%RUN%\boot" echo.
BOOT
md "%RUN%\temp" >nul 2>nul
:: The claim: a rename that fails if the name is taken.
set "tries=0"
:claim
if not exist "%DIR%\%LAUNCH%.claim" exit /b 1
ren "%DIR%\%LAUNCH%.claim" claim >nul 2>nul
if not exist "%DIR%\%LAUNCH%.claim" goto claimed
if exist "%DIR%\claim" goto late
:: A scanner may hold the file for a moment.
set /a tries+=1
if %tries% GTR 20 exit /b 1
ping -n 2 127.0.0.1 >nul <nul
goto claim
:claimed
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
call :read_lock
if not defined holder goto again
if not defined holding goto again
:: Who holds the lock has a claim and a task that runs, or is dead. A task that
:: is there and cannot be asked counts as one that runs.
if not exist "%BASE%\%holder%\claim" goto dead
set "task=oust-%holder%-%holding%"
set "alive="
chcp 437 >nul 2>nul <nul
schtasks /query /tn "%task%" /v /fo csv /nh 2>nul <nul | find ",""267009""," >nul
if not errorlevel 1 set "alive=yes"
schtasks /query /tn "%task%" /v /fo csv /nh 2>nul <nul | find ",""267045""," >nul
if not errorlevel 1 set "alive=yes"
chcp 65001 >nul 2>nul <nul
schtasks /query /tn "%task%" >nul 2>nul <nul
if errorlevel 1 if exist "%SystemRoot%\System32\Tasks\%task%" set "alive=yes"
if defined alive goto taken
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
set "how=ended"
rd /s /q "%RUN%\secrets" >nul 2>nul
call :read_lock
if "%holder%"=="%ID%" del /f /q "%BASE%\lock" >nul 2>nul
:finish
rd /s /q "%RUN%\secrets" >nul 2>nul
del /f /q "%BASE%\lock-%ID%" >nul 2>nul
set "tries=0"
:end
set /a tries+=1
>"%RUN%\end.new" echo state %how%
>>"%RUN%\end.new" echo exit %code%
>>"%RUN%\end.new" echo whole
set "whole="
for /f "usebackq" %%a in ("%RUN%\end.new") do if "%%a"=="whole" set "whole=yes"
if not defined whole goto full
ren "%RUN%\end.new" end >nul 2>nul
if exist "%RUN%\end" goto over
:: Full, perhaps for a moment; or removed by hand.
:full
if not exist "%RUN%\" goto over
if %tries% GTR 10 goto over
ping -n 6 127.0.0.1 >nul <nul
goto end
:over
schtasks /delete /tn "oust-%ID%-%LAUNCH%" /f >nul 2>nul <nul
exit /b 0
:late
del /f /q "%DIR%\%LAUNCH%.claim" >nul 2>nul
rd /s /q "%RUN%" >nul 2>nul
schtasks /delete /tn "oust-%ID%-%LAUNCH%" /f >nul 2>nul <nul
exit /b 0
:: read_lock: sets holder and holding, the attempt and the launch that have it.
:read_lock
set "holder="
set "holding="
if not exist "%BASE%\lock" goto :eof
for /f "usebackq tokens=1,2" %%a in ("%BASE%\lock") do if "%%a"=="owner" set "holder=%%b"
for /f "usebackq tokens=1,2" %%a in ("%BASE%\lock") do if "%%a"=="launch" set "holding=%%b"
goto :eof
