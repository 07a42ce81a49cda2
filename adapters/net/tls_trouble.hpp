#pragma once

#include <string>

#include <boost/system/error_code.hpp>

struct ssl_st;

namespace roombus::net {

/// What went wrong on a connection, for people.
[[nodiscard]] std::string text_of(const boost::system::error_code& error);

/// Why a handshake with `host` failed, for people: what is wrong with the certificate, or that nobody speaks TLS there.
[[nodiscard]] std::string handshake_trouble(const boost::system::error_code& error, const ssl_st* session,
                                            const std::string& host);

}  // namespace roombus::net
