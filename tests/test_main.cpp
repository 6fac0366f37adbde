// The main of every unit test program: compiling it once keeps the others quick.
#define CATCH_CONFIG_MAIN
#include "tests/catch.h"
