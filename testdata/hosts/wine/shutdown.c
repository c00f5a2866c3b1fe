/* shutdown.exe stands in for that of Windows. It knows /r and /a with /t, /c
 * and /d, and restarts nothing: it notes what it was asked for in
 * C:\windows\shutdown.txt, as UTF-8, seconds, a tab and the comment. The file
 * stands for a shutdown that is scheduled. */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#define NOTE L"C:\\windows\\shutdown.txt"

static int fail(const char *text, int code)
{
    fprintf(stderr, "%s(%d)\r\n", text, code);
    return code;
}

int wmain(int argc, WCHAR **argv)
{
    const WCHAR *comment = L"";
    long seconds = 30;
    int restart = 0, abort = 0;
    static char text[4096];
    WCHAR *end;
    HANDLE file;
    DWORD n;

    for (int i = 1; i < argc; i++) {
        WCHAR *next = i + 1 < argc ? argv[i + 1] : NULL;

        if (!_wcsicmp(argv[i], L"/r")) restart = 1;
        else if (!_wcsicmp(argv[i], L"/a")) abort = 1;
        else if (!_wcsicmp(argv[i], L"/t") && next) {
            seconds = wcstol(next, &end, 10);
            if (*end || seconds < 0) return fail("The parameter is incorrect.", ERROR_INVALID_PARAMETER);
            i++;
        } else if (!_wcsicmp(argv[i], L"/c") && next && wcslen(next) <= 512) comment = argv[++i];
        else if (!_wcsicmp(argv[i], L"/d") && next && !_wcsnicmp(next, L"p:", 2)) i++;
        else return fail("The parameter is incorrect.", ERROR_INVALID_PARAMETER);
    }
    if (restart == abort) return fail("The parameter is incorrect.", ERROR_INVALID_PARAMETER);
    if (abort)
        return DeleteFileW(NOTE) ? 0 : fail("Unable to abort the system shutdown because no shutdown was in progress.", 1116);
    file = CreateFileW(NOTE, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE) return fail("A system shutdown has already been scheduled.", 1190);
    n = snprintf(text, sizeof text, "%ld\t", seconds);
    n += WideCharToMultiByte(CP_UTF8, 0, comment, -1, text + n, sizeof text - n - 1, NULL, NULL);
    text[n - 1] = '\n';
    if (!WriteFile(file, text, n, &n, NULL)) return 2;
    CloseHandle(file);
    return 0;
}
