:: remove_tree: removes target: a file, a link itself, or a folder and all in
:: it. What lies below a link is left alone. The folders above are looked at
:: twice, the second time from inside: while a shell stands in a folder, nobody
:: renames it, or one above it, and puts a link in its place.
:remove_tree
set "code=0"
set "verdict=absent"
set "inside="
if not defined target goto remove_done
if "%target:~3%"=="" goto remove_shallow
:remove_look
set "above=%target%"
if exist "%target%" goto remove_up
set "attr="
for %%p in ("%target%") do set "attr=%%~ap"
if not defined attr goto remove_done
:remove_up
for %%p in ("%above%\..") do set "above=%%~fp"
if "%above:~3%"=="" goto remove_it
set "attr=-"
for %%p in ("%above%") do set "attr=-%%~ap"
if "%attr:l=%"=="%attr%" goto remove_up
set "verdict=failed"
set "code=1"
set "more=: left alone: a folder above it is a link"
goto remove_done
:remove_shallow
set "verdict=failed"
set "code=1"
set "more=: left alone: its path is not deep enough"
goto remove_done
:remove_it
if defined inside goto remove_now
for %%p in ("%target%\..") do set "above=%%~fp"
for %%p in ("%target%") do set "name=%%~nxp"
set "verdict=failed"
set "code=1"
set "more=: left alone: the folder above it cannot be entered"
pushd "%above%" 2>nul && set "inside=yes"
if not defined inside goto remove_done
set "code=0"
set "verdict=absent"
set "more="
goto remove_look
:remove_now
set "verdict=ok"
set "attr=-"
for %%p in ("%target%") do set "attr=-%%~ap"
if not "%attr:l=%"=="%attr%" goto remove_link
if exist ".\%name%\" rd /s /q ".\%name%" >nul 2>>"%OUST_DIR%\log" <nul
goto remove_file
:remove_link
rd ".\%name%" >nul 2>nul <nul
:: DEL takes a folder, or a link to one, for all files in it.
:remove_file
if not exist ".\%name%\" if exist ".\%name%" del /f /q /a ".\%name%" >nul 2>>"%OUST_DIR%\log" <nul
if exist "%target%" set "code=1"
if exist "%target%" set "verdict=failed"
:remove_done
if defined inside popd
call :finish
goto :eof

:: remove_empty: removes target if it is an empty folder. RD takes a link to a
:: folder for an empty one.
:remove_empty
set "code=0"
set "verdict=absent"
set "inside="
if not defined target goto remove_done
if not exist "%target%\" goto remove_done
set "attr=-"
for %%p in ("%target%") do set "attr=-%%~ap"
if not "%attr:l=%"=="%attr%" goto remove_done
rd "%target%" >nul 2>nul <nul
if not exist "%target%\" set "verdict=ok"
goto remove_done
