using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Shop.AppHost;

/// <summary>What the environment says about this shop, so that several can run side by side.</summary>
/// <param name="Port">The gateway's port, <c>SHOP_PORT</c>.</param>
/// <param name="Replicas">Instances of each service, <c>SHOP_REPLICAS</c>.</param>
/// <param name="Data">The directory of everything that the shop keeps, <c>SHOP_DATA</c>; absolute.</param>
/// <param name="KafkaHome">A distribution of Apache Kafka, <c>KAFKA_HOME</c>; null for EmbeddedKafka.</param>
/// <param name="Dashboard">Whether Aspire's dashboard is a part, <c>SHOP_DASHBOARD</c>.</param>
/// <param name="Detached">Whether nobody reads the console, so that the parts' logs are in their files only.</param>
internal sealed record ShopSettings(int Port, int Replicas, string Data, string? KafkaHome, bool Dashboard, bool Detached)
{
    /// <summary>Reads the environment and, stronger, the command line: <c>--SHOP_PORT=8090</c>.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="root">The repository, beside whose AppHost the data are kept when nothing else is said.</param>
    /// <exception cref="DistributedApplicationException">A value is no number or not in its range, no directory of the kind, or no connection string.</exception>
    public static ShopSettings Read(string[] args, string root)
    {
        var given = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        if (Value("ConnectionStrings:postgres") is { } postgres)
        {
            try
            {
                _ = new NpgsqlConnectionStringBuilder(postgres);
            }
            catch (ArgumentException e)
            {
                throw new DistributedApplicationException($"ConnectionStrings__postgres is no connection string: {e.Message}", e);
            }
        }
        if (Value("KAFKA_HOME") is { } home && !Directory.Exists(Path.Combine(home, "libs")))
            throw new DistributedApplicationException($"KAFKA_HOME is '{home}', where there is no directory libs.");

        return new(
            Number("SHOP_PORT", 8080, 65_535),
            Number("SHOP_REPLICAS", 1, 100),
            Path.TrimEndingDirectorySeparator(Path.GetFullPath(Value("SHOP_DATA") ?? Path.Combine(root, ".shop"))),
            Value("KAFKA_HOME"),
            Value("SHOP_DASHBOARD") != "off",
            Value("SHOP_DETACHED") == "1");

        string? Value(string name) => given[name] is { Length: > 0 } value ? value : null;

        int Number(string name, int otherwise, int most) => Value(name) is not { } text ? otherwise
            : int.TryParse(text, out var number) && number >= 1 && number <= most ? number
            : throw new DistributedApplicationException($"{name} is '{text}'; it must be a number from 1 to {most}.");
    }
}
