using Shop.Testing;

[assembly: AssemblyFixture(typeof(BrokerFixture))]
