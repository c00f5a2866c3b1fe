/* guard.dll keeps a package of a test from being removed: it says why, as a
   product does whose password is wrong, and the removal ends with 1603. */
#include <windows.h>
#include <msi.h>
#include <msiquery.h>

UINT __declspec(dllexport) WINAPI Guard(MSIHANDLE install)
{
	MSIHANDLE record = MsiCreateRecord(0);

	MsiRecordSetStringW(record, 0, L"The password is incorrect.");
	MsiProcessMessage(install, INSTALLMESSAGE_ERROR, record);
	MsiCloseHandle(record);
	return ERROR_INSTALL_FAILURE;
}
