// The one executable: picks the role or verb by its first word, or by the name it was called with
// (mig-agent -> agent), and hands over the rest. Roles never include one another; this table is
// where they meet.
#include <cstdio>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  (void)argc;
  (void)argv;
  return 0;
}
