/* uninst.exe is an uninstaller of the kind that copies itself: it puts a copy
 * into %TEMP%\~nsuA.tmp, starts that, and ends with 0 at once; the copy works
 * for a while and then removes the folder that uninst.exe stood in and the
 * product's uninstall key. Without /S it waits for ever, as behind a dialog.
 *
 * The file uninst.ini beside it may say, in its section uninst: Key, the
 * uninstall key below HKLM; Seconds of work, default 1; Exit, the exit code of
 * what was started; Lies=1, to remove nothing; Hangs=1, to never end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static char ini[MAX_PATH];

static int number(const char *name, int otherwise)
{
    return (int)GetPrivateProfileIntA("uninst", name, otherwise, ini);
}

/* removeFolder removes a folder and what is in it. */
static void removeFolder(const char *folder)
{
    char path[MAX_PATH * 2];
    WIN32_FIND_DATAA found;
    HANDLE find;

    snprintf(path, sizeof path, "%s\\*", folder);
    if ((find = FindFirstFileA(path, &found)) != INVALID_HANDLE_VALUE) {
        do {
            if (!strcmp(found.cFileName, ".") || !strcmp(found.cFileName, "..")) continue;
            snprintf(path, sizeof path, "%s\\%s", folder, found.cFileName);
            if (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) removeFolder(path);
            else DeleteFileA(path);
        } while (FindNextFileA(find, &found));
        FindClose(find);
    }
    RemoveDirectoryA(folder);
}

/* work is what the copy does. */
static int work(const char *folder)
{
    char key[512];

    snprintf(ini, sizeof ini, "%s\\uninst.ini", folder);
    GetPrivateProfileStringA("uninst", "Key", "", key, sizeof key, ini);
    if (number("Hangs", 0)) Sleep(INFINITE);
    Sleep(1000 * number("Seconds", 1));
    if (number("Lies", 0)) return 0;
    removeFolder(folder);
    if (*key) RegDeleteKeyA(HKEY_LOCAL_MACHINE, key);
    return 0;
}

int main(int argc, char **argv)
{
    char self[MAX_PATH], folder[MAX_PATH], copy[MAX_PATH], line[2 * MAX_PATH + 16], *slash;
    STARTUPINFOA start = {.cb = sizeof start};
    PROCESS_INFORMATION child;
    int silent = 0;

    if (argc == 3 && !strcmp(argv[1], "--copy")) return work(argv[2]);
    for (int i = 1; i < argc; i++) silent |= !strcmp(argv[i], "/S");
    if (!silent) Sleep(INFINITE);
    GetModuleFileNameA(NULL, self, sizeof self);
    strcpy(folder, self);
    if (!(slash = strrchr(folder, '\\'))) return 2;
    *slash = 0;
    GetTempPathA(sizeof copy - 32, copy);
    strcat(copy, "~nsuA.tmp");
    CreateDirectoryA(copy, NULL);
    strcat(copy, "\\Un_A.exe");
    slash = copy + strlen(copy) - strlen("A.exe");
    while (!CopyFileA(self, copy, FALSE)) /* one that runs is not overwritten */
        if (++*slash > 'Z') return 2;
    snprintf(line, sizeof line, "\"%s\" --copy \"%s\"", copy, folder);
    if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP, NULL, "C:\\", &start, &child)) return 2;
    snprintf(ini, sizeof ini, "%s\\uninst.ini", folder);
    return number("Exit", 0);
}
