:: remove_tree: removes target: a file, a link itself, or a folder and all in
:: it. What lies below a link is left alone.
:remove_tree
set "code=0"
set "verdict=absent"
if not defined target goto remove_done
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
:remove_it
set "verdict=ok"
set "attr=-"
for %%p in ("%target%") do set "attr=-%%~ap"
if not "%attr:l=%"=="%attr%" goto remove_link
if exist "%target%\" rd /s /q "%target%" >nul 2>>"%OUST_DIR%\log" <nul
if exist "%target%" del /f /q /a "%target%" >nul 2>>"%OUST_DIR%\log" <nul
goto remove_check
:remove_link
rd "%target%" >nul 2>nul <nul
if exist "%target%" del /f /q /a "%target%" >nul 2>>"%OUST_DIR%\log" <nul
:remove_check
if exist "%target%" set "code=1"
if exist "%target%" set "verdict=failed"
:remove_done
call :finish
goto :eof

:: remove_empty: removes target if it is an empty folder.
:remove_empty
set "code=0"
set "verdict=absent"
if not defined target goto remove_done
if not exist "%target%\" goto remove_done
rd "%target%" >nul 2>nul <nul
if not exist "%target%\" set "verdict=ok"
goto remove_done
