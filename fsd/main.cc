#include "fsd/cli/program.h"

int main(int argc, char** argv) { return stela::fsd::run_program({argv + 1, argv + argc}); }
