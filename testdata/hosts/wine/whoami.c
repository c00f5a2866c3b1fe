/* whoami.exe stands in for that of Windows: wine's knows no /user. It answers
 * every question with the name and the SID of /user /fo csv /nh. wine has one
 * user, whose SID is always the same. */
#include <stdio.h>
#include <windows.h>

int main(void)
{
    char computer[MAX_COMPUTERNAME_LENGTH + 1], user[256];
    DWORD n = sizeof computer, m = sizeof user;

    if (!GetComputerNameA(computer, &n) || !GetUserNameA(user, &m)) return 1;
    CharLowerA(computer);
    CharLowerA(user);
    printf("\"%s\\%s\",\"S-1-5-21-0-0-0-1000\"\r\n", computer, user);
    return 0;
}
