// Boost.Asio with TLS, and Boost.Beast, compiled once for the whole build.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
