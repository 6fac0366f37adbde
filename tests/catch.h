// The one place that knows which Catch2 is installed: Debian ships version 2, later ones split the header.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
