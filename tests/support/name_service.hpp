// SPDX-License-Identifier: Apache-2.0
/// A name service of the test's own, in a network of its own.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace qconn::test {

/// Runs this program once more, with the hidden test cases of that tag ("[.inside]" in their list of tags, "[inside]" here) alone, in network and
/// mount namespaces of its own: it sees the loopback interface only, and asks for names at 127.0.0.1.
/// @returns whether they passed; nothing where this process may not make namespaces
std::optional<bool> run_in_own_network(const char* tag);

/// Whether this process is such a one: hidden test cases do nothing elsewhere.
bool has_own_network();

/// A name service that answers when it is told to, and is silent until then.
/// @note One thread at a time.
class NameService {
public:
    /// @throws std::runtime_error where the port is taken: there is one at a time, in a network of its own
    NameService();
    NameService(const NameService&) = delete;
    NameService& operator=(const NameService&) = delete;
    ~NameService();

    /// Whether it has been asked since it last answered.
    bool was_asked() { return asked() > 0; }
    /// How often: a look-up asks twice, for either kind of address.
    std::size_t asked();
    /// Answers what was asked so far; 0: with these last bytes of 127.0.0.x, 2: the service fails, 3: there is no such name (RFC 1035 section 4.1.1).
    void answer(char code, const std::string& addresses = {});

private:
    struct Query {
        std::string text;
        sockaddr_in from{};
    };
    int fd_;
    std::vector<Query> queries_;
};

}  // namespace qconn::test
