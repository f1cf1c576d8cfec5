namespace Shop.Contracts.Tests.AsyncApi;

/// <summary>Other teams read docs/events.asyncapi.yaml: it has to say what the code does.</summary>
public sealed class AsyncApiTests
{
    private const string Regenerate = "SHOP_WRITE_ASYNCAPI";

    [Fact]
    public void The_committed_document_is_what_the_contracts_give()
    {
        var generated = "# Generated from services/Contracts; do not edit. See tests/Contracts.Tests/AsyncApi.\n" + Yaml.Write(AsyncApiDocument.Create());
        if (Environment.GetEnvironmentVariable(Regenerate) is { Length: > 0 })
            File.WriteAllText(Repository.AsyncApiFile, generated);

        Assert.True(File.Exists(Repository.AsyncApiFile) && File.ReadAllText(Repository.AsyncApiFile) == generated,
            $"docs/events.asyncapi.yaml does not describe the events any more. Write it anew, and commit it, with: {Regenerate}=1 dotnet test tests/Contracts.Tests -c Release");
    }

    [Fact]
    public void Every_topic_and_event_is_described()
    {
        var document = AsyncApiDocument.Create();

        Assert.All(document["channels"]!.AsObject(), channel => Assert.NotEmpty(channel.Value!["description"]!.GetValue<string>()));
        Assert.All(document["components"]!["messages"]!.AsObject(), message => Assert.NotEmpty(message.Value!["summary"]!.GetValue<string>()));
    }
}
