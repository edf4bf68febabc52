// Boost.JSON, compiled once for the whole build.
#include <boost/json/src.hpp>
