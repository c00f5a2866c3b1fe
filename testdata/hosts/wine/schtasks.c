/* schtasks.exe stands in for that of Windows, which wine has as a stub. It
 * knows /create with /xml or /tr, /run, /query, /end and /delete. A task lives
 * as files in C:\windows\Tasks; a task that runs holds a mutex, so that it is
 * over when its process or its host is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define FOLDER "C:\\windows\\Tasks\\"
enum { RUNNING = 267009, NEVER = 267011, TERMINATED = 267014 };

static char command[8192], arguments[8192], folder[1024];

static int unknown(void)
{
    fprintf(stderr, "ERROR: The system cannot find the file specified.\r\n");
    return 1;
}

/* option returns what follows a switch, or NULL; a switch without a value is
 * its own. */
static const char *option(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++)
        if (!_stricmp(argv[i], name)) return i + 1 < argc ? argv[i + 1] : argv[i];
    return NULL;
}

static void path(char *out, const char *task, const char *kind)
{
    snprintf(out, MAX_PATH, FOLDER "%s.%s", task, kind);
}

static void object(char *out, const char *task, const char *kind)
{
    snprintf(out, MAX_PATH, "Global\\task-%s-%s", kind, task);
}

/* element copies an element's text, with its entities read. */
static void element(const char *xml, const char *name, char *out, size_t size)
{
    static const struct { const char *entity; char is; } entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    char open[64];
    size_t n = 0;
    const char *p;

    *out = 0;
    snprintf(open, sizeof open, "<%s>", name);
    if (!(p = strstr(xml, open))) return;
    for (p += strlen(open); *p && *p != '<' && n + 1 < size; p++) {
        out[n] = *p;
        for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
            if (!strncmp(p, entities[i].entity, strlen(entities[i].entity))) {
                out[n] = entities[i].is;
                p += strlen(entities[i].entity) - 1;
                break;
            }
        n++;
    }
    out[n] = 0;
}

/* slurp reads a file of at most 64 KB; UTF-16 becomes the code page's. */
static char *slurp(const char *name)
{
    static char raw[65538], text[65538];
    FILE *file = fopen(name, "rb");
    size_t n;

    if (!file) return NULL;
    n = fread(raw, 1, 65536, file);
    fclose(file);
    raw[n] = raw[n + 1] = 0;
    if (n < 2 || (unsigned char)raw[0] != 0xff || (unsigned char)raw[1] != 0xfe) return raw;
    if (!WideCharToMultiByte(CP_ACP, 0, (WCHAR *)raw + 1, -1, text, sizeof text, NULL, NULL)) return NULL;
    return text;
}

static int spew(const char *task, const char *kind, const char *text)
{
    char name[MAX_PATH];
    FILE *file;

    path(name, task, kind);
    if (!(file = fopen(name, "wb"))) return 1;
    fputs(text, file);
    return fclose(file) ? 1 : 0;
}

static int create(int argc, char **argv, const char *task)
{
    const char *xml = option(argc, argv, "/xml"), *run = option(argc, argv, "/tr");
    char name[MAX_PATH], *text = xml ? slurp(xml) : NULL;

    path(name, task, "command");
    if (GetFileAttributesA(name) != INVALID_FILE_ATTRIBUTES && !option(argc, argv, "/f")) {
        fprintf(stderr, "ERROR: The task \"%s\" already exists.\r\n", task);
        return 1;
    }
    if (xml && !text) return unknown();
    if (text) {
        element(text, "Command", command, sizeof command);
        element(text, "Arguments", arguments, sizeof arguments);
        element(text, "WorkingDirectory", folder, sizeof folder);
    } else if (run)
        snprintf(command, sizeof command, "%.8000s", run);
    if (!*command) {
        fprintf(stderr, "ERROR: The task XML is malformed.\r\n");
        return 1;
    }
    CreateDirectoryA(FOLDER, NULL);
    if (xml && *command != '"') {
        char quoted[8192];
        snprintf(quoted, sizeof quoted, "\"%.8000s\"", command);
        strcpy(command, quoted);
    }
    if (*arguments) {
        strncat(command, " ", sizeof command - strlen(command) - 1);
        strncat(command, arguments, sizeof command - strlen(command) - 1);
    }
    if (spew(task, "command", command) || spew(task, "folder", folder)) return 1;
    path(name, task, "result");
    DeleteFileA(name);
    printf("SUCCESS: The scheduled task \"%s\" has successfully been created.\r\n", task);
    return 0;
}

/* spawn starts a line away from the caller: it shares no handle with it and is
 * in no group of its. */
static HANDLE spawn(char *line, const char *dir)
{
    STARTUPINFOA start = {.cb = sizeof start};
    PROCESS_INFORMATION child;
    char expanded[16384];

    ExpandEnvironmentStringsA(line, expanded, sizeof expanded);
    if (!CreateProcessA(NULL, expanded, NULL, NULL, FALSE, CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP, NULL,
                        dir && *dir ? dir : NULL, &start, &child)) return NULL;
    CloseHandle(child.hThread);
    return child.hProcess;
}

/* watch is the life of a task: the process that is started by /run. */
static int watch(const char *task)
{
    char name[MAX_PATH], line[8192], dir[1024], *text, number[16];
    HANDLE wait[2], ready, mutex;
    DWORD code = 1;

    object(name, task, "mutex");
    mutex = CreateMutexA(NULL, TRUE, name);
    if (!mutex || GetLastError() == ERROR_ALREADY_EXISTS) return 1;
    object(name, task, "end");
    wait[1] = CreateEventA(NULL, TRUE, FALSE, name);
    path(name, task, "folder");
    text = slurp(name);
    snprintf(dir, sizeof dir, "%.1000s", text ? text : "");
    path(name, task, "command");
    if (!(text = slurp(name))) return 1;
    snprintf(line, sizeof line, "%.8100s", text);
    wait[0] = spawn(line, *dir ? dir : "C:\\windows\\system32");
    object(name, task, "ready");
    if ((ready = OpenEventA(EVENT_MODIFY_STATE, FALSE, name))) SetEvent(ready);
    if (!wait[0])
        code = 0x80070002;
    else if (WaitForMultipleObjects(2, wait, FALSE, INFINITE) == WAIT_OBJECT_0)
        GetExitCodeProcess(wait[0], &code);
    else {
        TerminateProcess(wait[0], code);
        code = TERMINATED;
    }
    path(name, task, "command");
    if (GetFileAttributesA(name) == INVALID_FILE_ATTRIBUTES) return 0; /* deleted */
    snprintf(number, sizeof number, "%d", (int)code);
    return spew(task, "result", number);
}

static int run(const char *task)
{
    char name[MAX_PATH], line[2048], self[MAX_PATH];
    HANDLE wait[2];

    object(name, task, "ready");
    wait[0] = CreateEventA(NULL, TRUE, FALSE, name);
    GetModuleFileNameA(NULL, self, sizeof self);
    snprintf(line, sizeof line, "\"%s\" --watch \"%.1000s\"", self, task);
    if (!(wait[1] = spawn(line, NULL))) return unknown();
    /* It says that the task runs, or ends: the task ran already. */
    WaitForMultipleObjects(2, wait, FALSE, 30000);
    printf("SUCCESS: Attempted to run the scheduled task \"%s\".\r\n", task);
    return 0;
}

static int query(int argc, char **argv, const char *task)
{
    char name[MAX_PATH], *text, line[8192] = "";
    HANDLE mutex;
    int result = NEVER;

    path(name, task, "command");
    if ((text = slurp(name))) snprintf(line, sizeof line, "%.8100s", text);
    path(name, task, "result");
    if ((text = slurp(name))) result = atoi(text);
    object(name, task, "mutex");
    if ((mutex = OpenMutexA(SYNCHRONIZE, FALSE, name))) result = RUNNING;
    if (!option(argc, argv, "/v"))
        printf("\"\\%s\",\"N/A\",\"%s\"\r\n", task, mutex ? "Running" : "Ready");
    else
        printf("\"WINE\",\"\\%s\",\"N/A\",\"%s\",\"Interactive/Background\",\"N/A\",\"%d\",\"\",\"%s\",\"N/A\"\r\n",
               task, mutex ? "Running" : "Ready", result, line);
    return 0;
}

static int end(const char *task)
{
    char name[MAX_PATH];
    HANDLE event;

    object(name, task, "end");
    if (!(event = OpenEventA(EVENT_MODIFY_STATE, FALSE, name))) {
        fprintf(stderr, "ERROR: The task is not running.\r\n");
        return 1;
    }
    SetEvent(event);
    printf("SUCCESS: The scheduled task \"%s\" has been terminated successfully.\r\n", task);
    return 0;
}

static int delete(const char *task)
{
    static const char *kinds[] = {"command", "folder", "result"};
    char name[MAX_PATH];

    for (int i = 0; i < 3; i++) {
        path(name, task, kinds[i]);
        DeleteFileA(name);
    }
    printf("SUCCESS: The scheduled task \"%s\" was successfully deleted.\r\n", task);
    return 0;
}

int main(int argc, char **argv)
{
    const char *task = option(argc, argv, "/tn");
    char name[MAX_PATH];

    if (argc == 3 && !strcmp(argv[1], "--watch")) return watch(argv[2]);
    if (!task || argc < 2) {
        fprintf(stderr, "ERROR: Invalid syntax. Value expected for '/tn'.\r\n");
        return 1;
    }
    if (*task == '\\') task++;
    if (strpbrk(task, "\\/:*?\"<>|") || strlen(task) > 200) return unknown();
    if (!_stricmp(argv[1], "/create")) return create(argc, argv, task);
    path(name, task, "command");
    if (GetFileAttributesA(name) == INVALID_FILE_ATTRIBUTES) return unknown();
    if (!_stricmp(argv[1], "/run")) return run(task);
    if (!_stricmp(argv[1], "/query")) return query(argc, argv, task);
    if (!_stricmp(argv[1], "/end")) return end(task);
    if (!_stricmp(argv[1], "/delete")) return delete(task);
    fprintf(stderr, "ERROR: Invalid argument/option - '%s'.\r\n", argv[1]);
    return 1;
}
