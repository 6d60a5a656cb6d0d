// SPDX-License-Identifier: Apache-2.0
// References to secrets in HashiCorp Vault (KV version 2): ${vault:secret/shop#password}
//
//     vault DIRECTORY NAME        with VAULT_ADDR and VAULT_TOKEN in the environment
#include <cstdlib>
#include <iostream>
#include <memory>
#include <qconn/qconn.hpp>

using namespace std::chrono_literals;

qconn::SecretProvider vault_secrets(const std::string& address, const std::string& token) {
    qconn::RestOptions options;
    options.label = "vault";
    options.url = address;
    options.headers = {{"X-Vault-Token", token}};
    const auto vault = std::make_shared<qconn::RestClient>(options);

    qconn::SecretProvider provider;
    provider.prefix = "vault";
    provider.check = [](std::string_view argument) {
        const bool good = argument.find('/') != argument.npos && argument.find('#') != argument.npos;
        return good ? "" : "write ${vault:MOUNT/PATH#FIELD}";
    };
    provider.read = [vault](const qconn::SecretRequest& request) -> qconn::SecretAnswer {
        const std::string_view argument = request.argument;
        const auto slash = argument.find('/');
        const auto hash = argument.rfind('#');
        const std::string path{argument.substr(slash + 1, hash - slash - 1)};
        const std::string field{argument.substr(hash + 1)};
        const auto body = vault->get("v1/" + std::string{argument.substr(0, slash)} + "/data/" + path, request.deadline).body;
        const qconn::Value* value = body["data"]["data"].as_map().find(field);
        if (!value || !value->is_string()) throw qconn::make_error(qconn::Errc::secret, "the vault has no text in the field " + field);
        return {qconn::Secret{value->as_string()}, 5min};
    };
    return provider;
}

int main(int argc, char** argv) {
    const char* address = std::getenv("VAULT_ADDR");
    const char* token = std::getenv("VAULT_TOKEN");
    if (argc != 3 || !address || !token) {
        std::cerr << "usage: VAULT_ADDR=URL VAULT_TOKEN=TOKEN vault DIRECTORY NAME\n";
        return 2;
    }
    try {
        qconn::RegistryOptions options;
        options.secret_providers = {vault_secrets(address, token)};
        qconn::Registry registry{options};
        registry.load(argv[1]);

        const qconn::PingResult result = registry.ping(argv[2], qconn::PingDepth::full, 10s);
        if (result.error) throw *result.error;
        std::cout << argv[2] << " is up\n";
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
