/* Writes lines of 100 bytes: log_writer COUNT LINES_A_WRITE. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char lines[64 * 1024];
	long count = argc > 1 ? atol(argv[1]) : 0;
	long portion = argc > 2 ? atol(argv[2]) : 1;
	size_t size = (size_t)portion * 100;

	if (portion < 1 || size > sizeof lines)
		return 100;
	memset(lines, 'x', size);
	for (size_t end = 99; end < size; end += 100)
		lines[end] = '\n';
	for (; count >= portion; count -= portion)
		if (write(1, lines, size) != (ssize_t)size)
			return 111;
	return 0;
}
