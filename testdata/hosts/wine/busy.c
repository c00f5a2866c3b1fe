/* busy.exe stands in for msiexec while another installation never ends. */
int main(void) { return 1618; }
