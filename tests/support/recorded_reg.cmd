@echo off
rem A stand-in for reg.exe: writes down how it is called, and answers from files in its folder.
rem table.txt has a line for each value that may be asked for, KEY|NAME|NUMBER. What reg prints of it before the import is
rem in before-NUMBER.txt, and after it in after-NUMBER.txt; without the file there is no such value. An operation fails
rem where there is a file fail-OPERATION, and once where there is fail-once-OPERATION.
set "STUB=%~dp0"
>>"%STUB%log.txt" echo %~1 %~2 %~3 %~4
if exist "%STUB%fail-%~1" exit /b 1
if not exist "%STUB%fail-once-%~1" goto %~1
del "%STUB%fail-once-%~1"
exit /b 1

:query
if "%~3"=="" goto loaded
set "N="
for /f "usebackq tokens=1-3 delims=|" %%a in ("%STUB%table.txt") do if "%%a|%%b"=="%~2|%~4" set "N=%%c"
if not defined N exit /b 1
set "STATE=before"
if exist "%STUB%imported" set "STATE=after"
if not exist "%STUB%%STATE%-%N%.txt" exit /b 1
type "%STUB%%STATE%-%N%.txt"
exit /b 0

:loaded
if not exist "%STUB%%~n2" exit /b 1
exit /b 0

:load
>"%STUB%%~n2" echo loaded
exit /b 0

:unload
del "%STUB%%~n2"
exit /b 0

:save
>"%~3" echo saved
exit /b 0

:import
rem The name without .reg, and whether that ends in .rollback.
for %%f in ("%~n2") do if "%%~xf"==".rollback" goto roll_back
>"%STUB%imported" echo yes
exit /b 0
:roll_back
if exist "%STUB%no-rollback" exit /b 0
del "%STUB%imported"
exit /b 0

:restore
if exist "%STUB%imported" del "%STUB%imported"
exit /b 0
