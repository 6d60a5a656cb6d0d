// SPDX-License-Identifier: Apache-2.0
// sftp.
#include <qconn/ssh/ssh_client.hpp>

#include <memory>
#include <utility>

#include "schemes/convert.hpp"
#include "schemes/file_operations.hpp"
#include "schemes/schemes.hpp"
#include "schemes/ssh_options.hpp"

namespace qconn::schemes {
namespace {

/// And where on the server it is.
struct SftpSchemeOptions : SshOptions {
    std::string path;
    std::string path_add;
};

const OptionTable<SftpSchemeOptions>& sftp_table() {
    static const OptionTable<SftpSchemeOptions> options = [] {
        OptionTable<SftpSchemeOptions> all;
        {
            OptionSpec& spec =
                all.add("path", &SftpSchemeOptions::path, OptionType::string, "The directory on the server, in place of the URL's path");
            spec.fallback_text = "the URL's path; without one the directory that the log-in leads to";
            spec.example = "/outgoing";
        }
        {
            OptionSpec& spec = all.add("path_add", &SftpSchemeOptions::path_add, OptionType::string, "Joined to the directory with one '/'");
            spec.example = "invoices";
        }
        add_ssh_options(all);
        return all;
    }();
    return options;
}

SftpSchemeOptions sftp_options_of(const ResolvedDefinition& definition) {
    SftpSchemeOptions options;
    options.path = definition.url.path;
    sftp_table().apply(definition.options, options);
    set_ssh_address(options, definition);
    if (!options.path_add.empty()) {
        while (options.path.ends_with('/')) options.path.pop_back();
        options.path += (options.path_add.starts_with('/') ? "" : "/") + options.path_add;
    }
    return options;
}

}  // namespace

Scheme sftp_scheme() {
    Scheme scheme = ssh_kind(
        "sftp", sftp_table().specs(), [](const ResolvedDefinition& definition) -> SshOptions { return sftp_options_of(definition); }, "sftp");
    scheme.title = "SFTP";
    scheme.help =
        "Files on another machine by SFTP. A ping logs in and opens the subsystem; while it is watched the session is kept for the next one. Depth "
        "connect only asks for the greeting.";
    scheme.example_url = "sftp://edi@files.example.com/outgoing";
    scheme.clients = client_types<SshClient>({"SftpClient"});  // the client of files takes its place here and below
    scheme.operations = file_operations();
    scheme.make_client = [](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<SshClient>(sftp_options_of(definition), runtime);
    };
    return scheme;
}

}  // namespace qconn::schemes
