using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Shop.AppHost.Running;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Kafka;

/// <summary>Apache Kafka with a second listener that wants TLS and a password.</summary>
public sealed class SecuredKafka : IAsyncLifetime
{
    public const string User = "shop", Password = "p=ss word, of tests only";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("shop-secured-kafka-");
    private readonly int _port = Ports.Free();
    private ApacheKafka? _kafka;

    /// <summary>The listener without; null where there is no Apache Kafka.</summary>
    public string? Open => _kafka?.BootstrapServers;

    /// <summary>The connection string of a service. Of a setting that is there twice the last one counts.</summary>
    public string Secured(string mechanism) =>
        $"bootstrap.servers=localhost:{_port};security.protocol=SASL_SSL;sasl.mechanism={mechanism};sasl.username={User};sasl.password={Password};ssl.ca.location={FileOf("authority")}";

    /// <summary>A PEM file: <c>authority</c>, which signed the server's certificate, or <c>stranger</c>, which did not.</summary>
    public string FileOf(string name) => Path.Combine(_directory.FullName, $"{name}.pem");

    public async ValueTask InitializeAsync()
    {
        if (ApacheKafka.Home is not { } home)
            return;
        WriteCertificates();
        _kafka = await ApacheKafka.StartAsync(home, settings: Settings);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = _kafka.BootstrapServers }).Build();
        await admin.AlterUserScramCredentialsAsync([new UserScramCredentialUpsertion
        {
            User = User,
            Password = Encoding.UTF8.GetBytes(Password),
            Salt = RandomNumberGenerator.GetBytes(16),
            ScramCredentialInfo = new() { Mechanism = ScramMechanism.ScramSha512, Iterations = 4096 },
        }]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_kafka is not null)
            await _kafka.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private string[] Settings(int port, int controllerPort) =>
    [
        $"listeners=PLAINTEXT://127.0.0.1:{port},SECURED://127.0.0.1:{_port},CONTROLLER://127.0.0.1:{controllerPort}",
        $"advertised.listeners=PLAINTEXT://127.0.0.1:{port},SECURED://localhost:{_port}",
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL,CONTROLLER:PLAINTEXT",
        "listener.name.secured.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN",
        "listener.name.secured.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
        $"listener.name.secured.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{User}=\"{Password}\";",
        "listener.name.secured.ssl.keystore.type=PEM",
        $"listener.name.secured.ssl.keystore.location={FileOf("server")}",
    ];

    private void WriteCertificates()
    {
        using var authority = NewAuthority();
        using var stranger = NewAuthority();
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(FileOf("authority"), authority.ExportCertificatePem());
        File.WriteAllText(FileOf("stranger"), stranger.ExportCertificatePem());
        File.WriteAllText(FileOf("server"), $"{key.ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}\n");
    }

    private static X509Certificate2 NewAuthority()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=tests", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}

/// <summary>TLS and a password for Kafka: a service is given both by its connection string.</summary>
public sealed class SecuredKafkaTests(PostgresFixture postgres, SecuredKafka kafka) : IClassFixture<SecuredKafka>
{
    [Theory, InlineData("SCRAM-SHA-512"), InlineData("PLAIN")]
    public async Task A_service_makes_its_topics_publishes_and_consumes_with_both(string mechanism)
    {
        using var service = await ServiceAsync();
        await using var instance = await service.StartAsync(kafka: kafka.Secured(mechanism));
        var journals = Journals.New(3);
        await instance.PublishAsync([.. Journals.Notes(journals, 5)]);
        await service.HaveExactlyAsync(journals, 5);
    }

    [Theory]
    [InlineData("sasl.password", "a wrong password")]
    [InlineData("ssl.ca.location", "stranger")]
    [InlineData("security.protocol", "SSL")]
    [InlineData("security.protocol", "PLAINTEXT")]
    public async Task Without_one_of_them_nothing_is_published_and_no_log_has_the_password(string setting, string value)
    {
        using var service = await ServiceAsync();
        await service.PrepareAsync();
        var logs = new Lines();
        var connectionString = $"{kafka.Secured("SCRAM-SHA-512")};{setting}={(setting == "ssl.ca.location" ? kafka.FileOf(value) : value)}";
        await using var instance = await service.StartAsync(kafka: connectionString, configure: services => services.AddLogging(logging => logging.AddProvider(logs)));
        await instance.PublishAsync(new Noted(Guid.CreateVersion7(), 1));

        await instance.HasLoggedAsync("TopicsNotCreated");
        var health = await instance.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.NotEqual(HealthStatus.Healthy, health.Status);
        Assert.Equal(1, await instance.CountAsync("outbox"));
        Assert.NotEmpty(logs.All);
        Assert.DoesNotContain(logs.All, line => line.Contains(SecuredKafka.Password, StringComparison.Ordinal) || line.Contains("a wrong password", StringComparison.Ordinal));
    }

    /// <summary>What the tests themselves ask goes to the open listener.</summary>
    private async Task<JournalService> ServiceAsync()
    {
        Assert.SkipWhen(kafka.Open is null, "KAFKA_HOME is not set");
        return new($"t{Guid.NewGuid():N}", await postgres.CreateDatabaseAsync(), kafka.Open);
    }
}
