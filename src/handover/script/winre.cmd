@echo off
:: head
rem
rem Usage: winre.cmd [DRIVE: [FOLDER]]
rem   DRIVE:  the drive of the offline Windows; needed if there is more than one
rem   FOLDER  where the hives are saved before the import; otherwise beside this script
rem
rem Run it in WinRE, where you are SYSTEM. At the first unexpected result it stops, undoes its changes, and ends with 1.
setlocal EnableExtensions DisableDelayedExpansion
set REG="%SystemRoot%\System32\reg.exe"
set "HERE=%~dp0"
set "FOUND=%~1"
set "SAVE=%~2"
if not defined SAVE set "SAVE=%HERE%."
set "OUT=%TEMP%\hivemend-%RANDOM%.txt"
set "MORE="
set "WHY="
set "LOADED_SOFTWARE="
set "LOADED_SYSTEM="
set "IMPORTED="
:: config

echo 1. Look for the programs and files that are needed.
:: files
if defined WHY goto stop
if not exist "%SAVE%\" set "WHY=no such folder: the second argument"
if exist "%SAVE%\SOFTWARE.saved" set "WHY=the file SOFTWARE.saved exists already; name another folder"
if exist "%SAVE%\SYSTEM.saved" set "WHY=the file SYSTEM.saved exists already; name another folder"
if defined WHY goto stop
%REG% query HKLM\hivemend-SOFTWARE >nul 2>&1
if not errorlevel 1 set "WHY=HKLM\hivemend-SOFTWARE is loaded already; unload it first"
%REG% query HKLM\hivemend-SYSTEM >nul 2>&1
if not errorlevel 1 set "WHY=HKLM\hivemend-SYSTEM is loaded already; unload it first"
if defined WHY goto stop

echo 2. Look for the offline Windows.
if defined FOUND goto named
for %%D in (C D E F G H I J K L M N O P Q R S T U V W X Y Z) do call :look %%D
if not defined FOUND set "WHY=no offline Windows was found on any drive"
if defined MORE set "WHY=more than one Windows was found; name the drive, such as: winre.cmd D:"
if defined MORE echo    %FOUND%%MORE%
if defined WHY goto stop
goto found
:named
set "LETTER=%FOUND:~0,1%"
set "FOUND="
call :look %LETTER%
if not defined FOUND set "WHY=no offline Windows was found on the drive that was named"
if defined WHY goto stop
:found
echo    %FOUND%%CONFIG%

echo 3. Load both hives.
%REG% load HKLM\hivemend-SOFTWARE "%FOUND%%CONFIG%\SOFTWARE" >nul 2>&1
if errorlevel 1 set "WHY=the SOFTWARE hive cannot be loaded"
if defined WHY goto stop
set "LOADED_SOFTWARE=1"
%REG% load HKLM\hivemend-SYSTEM "%FOUND%%CONFIG%\SYSTEM" >nul 2>&1
if errorlevel 1 set "WHY=the SYSTEM hive cannot be loaded"
if defined WHY goto stop
set "LOADED_SYSTEM=1"

echo 4. Compare product, version, build, control set and computer.
call :recognise
if errorlevel 1 set "WHY=this is not the Windows that the patch is for"
if defined WHY goto stop

echo 5. Compare each value that is to be changed.
call :before
if errorlevel 1 set "WHY=a value is not as it was when the patch was written"
if defined WHY goto stop

echo 6. Save both hives.
%REG% save HKLM\hivemend-SOFTWARE "%SAVE%\SOFTWARE.saved" >nul 2>&1 <nul
if errorlevel 1 set "WHY=the SOFTWARE hive cannot be saved"
if not exist "%SAVE%\SOFTWARE.saved" set "WHY=the SOFTWARE hive cannot be saved"
if defined WHY goto stop
%REG% save HKLM\hivemend-SYSTEM "%SAVE%\SYSTEM.saved" >nul 2>&1 <nul
if errorlevel 1 set "WHY=the SYSTEM hive cannot be saved"
if not exist "%SAVE%\SYSTEM.saved" set "WHY=the SYSTEM hive cannot be saved"
if defined WHY goto stop

echo 7. Import.
set "IMPORTED=1"
set "FAILED="
:: import
if defined FAILED set "WHY=reg could not import the patch"
if defined WHY goto stop

echo 8. Read each value back.
call :after
if errorlevel 1 set "WHY=a value is not what the patch says after the import"
if defined WHY goto stop

echo 9. Unload both hives.
call :unload
if defined LOADED_SOFTWARE goto stuck
if defined LOADED_SYSTEM goto stuck
echo Done. The hives as they were: SOFTWARE.saved and SYSTEM.saved.
exit /b 0

:stuck
echo The patch is imported and was read back, but a hive is still loaded. Close the programs that use it and run
if defined LOADED_SOFTWARE echo    reg unload HKLM\hivemend-SOFTWARE
if defined LOADED_SYSTEM echo    reg unload HKLM\hivemend-SYSTEM
echo or restart.
exit /b 1

:stop
echo STOPPED: %WHY%
if not defined IMPORTED goto nothing_done
echo Undo the import.
call :take_back
call :unload
goto last
:nothing_done
call :unload
echo Nothing was changed.
:last
if defined LOADED_SOFTWARE echo Still loaded: HKLM\hivemend-SOFTWARE
if defined LOADED_SYSTEM echo Still loaded: HKLM\hivemend-SYSTEM
exit /b 1

rem The drive that is named, where it has the hives of a Windows that does not run.
:look
if /i "%~1:"=="%SystemDrive%" exit /b 0
if not exist "%~1:%CONFIG%\SOFTWARE" exit /b 0
if not exist "%~1:%CONFIG%\SYSTEM" exit /b 0
if defined FOUND set "MORE=%MORE% %~1:"
if not defined FOUND set "FOUND=%~1:"
exit /b 0

:import
%REG% import "%HERE%%~1" >nul 2>&1
if errorlevel 1 set "FAILED=1"
exit /b 0

rem The rollback first. Where it does not restore every value, the saved hives.
:take_back
set "FAILED="
:: roll back
if defined FAILED goto restore
call :before
if errorlevel 1 goto restore
echo Every value is as it was before.
exit /b 0
:restore
echo The rollback does not restore every value. Restore the saved hives.
set "FAILED="
%REG% restore HKLM\hivemend-SOFTWARE "%SAVE%\SOFTWARE.saved" >nul 2>&1
if errorlevel 1 set "FAILED=1"
%REG% restore HKLM\hivemend-SYSTEM "%SAVE%\SYSTEM.saved" >nul 2>&1
if errorlevel 1 set "FAILED=1"
if defined FAILED goto lost
call :before
if errorlevel 1 goto lost
echo Every value is as it was before.
exit /b 0
:lost
echo THE IMPORT COULD NOT BE UNDONE. Copy SOFTWARE.saved and SYSTEM.saved over the hives SOFTWARE and SYSTEM.
exit /b 1

rem An open key keeps a hive loaded for a moment: try three times.
:unload
for %%N in (1 2 3) do call :unload_once
exit /b 0
:unload_once
if not defined LOADED_SOFTWARE goto unload_system
%REG% unload HKLM\hivemend-SOFTWARE >nul 2>&1
if not errorlevel 1 set "LOADED_SOFTWARE="
:unload_system
if not defined LOADED_SYSTEM exit /b 0
%REG% unload HKLM\hivemend-SYSTEM >nul 2>&1
if not errorlevel 1 set "LOADED_SYSTEM="
exit /b 0

rem The last line that reg prints of a value; none where the value is missing.
:read
set "LINE="
%REG% query "%KEY%" /v "%NAME%" >"%OUT%" 2>nul
if errorlevel 1 goto read_end
for /f "usebackq delims=" %%L in ("%OUT%") do set "LINE=%%L"
:read_end
del "%OUT%" >nul 2>&1
exit /b 0

rem What was read is only ever used by delayed expansion: cmd does not take it for a command.
:expect
call :read
if not defined LINE goto missing
setlocal EnableDelayedExpansion
if %CASE% "!LINE!"=="!WANT!" exit /b 0
if %CASE% "!LINE!"=="!ALSO!" exit /b 0
echo    %KEY%
echo    expected:!WANT!
echo    found:   !LINE!
endlocal
exit /b 1
:missing
echo    %KEY%
echo    expected:    %NAME%
echo    found:       nothing
exit /b 1

:absent
call :read
if not defined LINE exit /b 0
echo    %KEY%
echo    expected:    no value %NAME%
echo    found:       one
exit /b 1

:recognise
:: recognise
exit /b 0

:before
:: before
exit /b 0

:after
:: after
exit /b 0
