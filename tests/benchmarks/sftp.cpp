// SPDX-License-Identifier: Apache-2.0
// Files over SFTP and SSH: bench_sftp get|put|get-tree|put-tree PORT USER KEY KNOWN_HOSTS CIPHER FROM TO [TRANSFERS]
// One line with wall time and processor time. sftp.sh runs it beside OpenSSH's sftp.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <qconn/file/transfer.hpp>
#include <qconn/file/tree.hpp>
#include <qconn/ssh/sftp_client.hpp>

#include "benchmarks/measure.hpp"

using namespace qconn;

int main(int count, char** words) {
    if (count < 9) {
        std::fputs("bench_sftp get|put|get-tree|put-tree PORT USER KEY KNOWN_HOSTS CIPHER FROM TO [TRANSFERS]\n", stderr);
        return 2;
    }
    const std::string what = words[1], from = words[7], to = words[8];
    SftpOptions options;
    options.ssh.host = "127.0.0.1";
    options.ssh.port = static_cast<std::uint16_t>(std::atoi(words[2]));
    options.ssh.user = words[3];
    options.ssh.key_file = words[4];
    options.ssh.known_hosts = {words[5]};
    options.ssh.algorithms.ciphers = {words[6]};
    options.ssh.use_agent = false;
    TreeOptions tree;
    if (count > 9) tree.transfers = static_cast<std::size_t>(std::atoi(words[9]));
    const double begun = bench::seconds_of(CLOCK_MONOTONIC);
    const double used = bench::process_seconds();
    std::string agreed;
    try {
        SftpClient client{options};
        if (what == "get")
            get_file(client, from, to);
        else if (what == "put")
            put_file(client, from, to);
        else if (what == "get-tree")
            get_tree(client, from, to, tree);
        else
            put_tree(client, from, to, tree);
        agreed = client.connect().transport;
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    std::printf("%.4f %.4f %s\n", bench::seconds_of(CLOCK_MONOTONIC) - begun, bench::process_seconds() - used, agreed.c_str());
    return 0;
}
