/* launcher.exe FILE runs the command line that stands in FILE, as UTF-16, to
 * the letter, and writes the exit code as text to FILE.exit. Outside of wine an
 * exit code has 8 bits only, and wine's loader puts quotes of its own. It does
 * not wait for grandchildren. Its own exit code is 0 if that of the command was
 * written. */
#include <stdio.h>
#include <windows.h>

static WCHAR line[16384];

int wmain(int argc, WCHAR **argv)
{
    STARTUPINFOW start = {.cb = sizeof start};
    PROCESS_INFORMATION child;
    WCHAR path[MAX_PATH];
    FILE *file;
    DWORD code;

    if (argc != 2 || !(file = _wfopen(argv[1], L"rb"))) return 2;
    line[fread(line, sizeof *line, 16383, file)] = 0;
    fclose(file);
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child))
        code = GetLastError();
    else {
        WaitForSingleObject(child.hProcess, INFINITE);
        if (!GetExitCodeProcess(child.hProcess, &code)) return 3;
    }
    _snwprintf(path, MAX_PATH, L"%ls.exit", argv[1]);
    if (!(file = _wfopen(path, L"wb"))) return 4;
    fprintf(file, "%d\n", (int)code);
    return fclose(file) ? 5 : 0;
}
