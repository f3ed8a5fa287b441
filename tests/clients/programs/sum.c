/* Rows, sum and distinct texts of a dataset folder: a mapped .npy and lines of a .txt, with nothing but POSIX. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int main(int argc, char **argv) {
  char path[4096];
  struct stat at;
  snprintf(path, sizeof path, "%s/lat.npy", argv[argc - 1]);
  int file = open(path, O_RDONLY);
  if (file < 0 || fstat(file, &at) != 0) return 1;
  const char *bytes = mmap(NULL, (size_t)at.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  if (bytes == MAP_FAILED) return 2;
  uint16_t header;
  memcpy(&header, bytes + 8, 2);
  const double *values = (const double *)(bytes + 10 + header);
  size_t rows = ((size_t)at.st_size - 10 - header) / sizeof(double), distinct = 0, lines = 0;
  double sum = 0;
  for (size_t i = 0; i < rows; ++i) sum += values[i];

  snprintf(path, sizeof path, "%s/tzone.txt", argv[argc - 1]);
  FILE *text = fopen(path, "r");
  char **texts = calloc(rows, sizeof *texts), *line = NULL;
  size_t room = 0;
  if (text == NULL || texts == NULL) return 3;
  while (lines < rows && getline(&line, &room, text) > 0) texts[lines++] = strdup(line);
  qsort(texts, lines, sizeof *texts, by_text);
  for (size_t i = 0; i < lines; ++i) distinct += i == 0 || strcmp(texts[i], texts[i - 1]) != 0;
  printf("%zu %.6f %zu\n", rows, sum, distinct);
  return lines == rows ? 0 : 4;
}
